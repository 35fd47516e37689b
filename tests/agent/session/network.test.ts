/** The agent's way out: through a real proxy, over real TLS, with an authority that is replaced while it runs. */
import { once } from "node:events";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer as createPlainServer } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { fetchWith } from "../../../agent/effects/trust/fetch.ts";
import { createAddresses } from "../../../agent/session/addresses.ts";
import { createHttpClient } from "../../../agent/session/http-client.ts";
import { createNetwork, type Network, rulesOf } from "../../../agent/session/network.ts";
import { openWebSocket } from "../../../agent/session/websocket.ts";
import { type ProxyRules, parseProxy } from "../../../protocol/proxy.ts";
import { type ConnectProxy, startConnectProxy } from "../../harness/connect-proxy.ts";

const TLS = join(import.meta.dirname, "../../testdata/tls");

let dir = "";
let ca = "";
let server: Server;
let port = 0;
let proxy: ConnectProxy;
const wss = new WebSocketServer({ noServer: true, handleProtocols: () => "baton.v1" });

beforeAll(async () => {
  server = createServer(await certificate("first"), (_request, response) => {
    response.end(JSON.stringify({ connections: "fine" }));
  });
  server.on("upgrade", (request, socket, head) =>
    wss.handleUpgrade(request, socket, head, (ws) => ws.send("{}")),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  for (const client of wss.clients) client.terminate();
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "baton-network-"));
  ca = join(dir, "ca.pem");
  await copyFile(join(TLS, "first.crt"), ca);
  proxy = await startConnectProxy({ user: "ada:secret" });
});
afterEach(async () => {
  await proxy.stop();
  await rm(dir, { recursive: true });
});

const certificate = async (name: string) => ({
  cert: await readFile(join(TLS, `${name}.crt`)),
  key: await readFile(join(TLS, `${name}.key`)),
});

const through = (url: string, more: Partial<ProxyRules> = {}): ProxyRules => ({
  https: parseProxy(url),
  http: parseProxy(url),
  noProxy: "",
  loopback: true,
  ...more,
});

const addresses = () => createAddresses([`https://localhost:${port}`]);

/** One request by each way that the agent has: what came of it. */
async function everyWay(network: Network): Promise<string[]> {
  const http = createHttpClient({ addresses: addresses(), credential: null, network });
  const called = await http.call({ method: "GET", path: "/v1/version", timeoutMs: 5_000 });
  await http.close();
  const dispatcher = await network.openDispatcher();
  const fetched = await fetchWith(dispatcher)(`https://localhost:${port}/tuf/x`, {
    maxBytes: 100,
    signal: AbortSignal.timeout(5_000),
  }).then(
    async ({ status, body }) => {
      for await (const chunk of body) expect(chunk.length).toBeGreaterThan(0);
      return String(status);
    },
    (cause: unknown) => String(cause),
  );
  await dispatcher.destroy();
  const events = { heard: () => undefined, frame: () => undefined, ended: () => undefined };
  const socket = await openWebSocket({ addresses: addresses(), credential: "c", network })(
    events,
    new AbortController().signal,
  );
  if (socket.ok) socket.value.close();
  return [called.ok ? "called" : called.error.message, fetched, socket.ok ? "opened" : socket.error.message];
}

describe("through a proxy", () => {
  it("goes everything, with the proxy's password, and TLS ends at the coordinator", async () => {
    const network = createNetwork({ caFile: ca, rules: through(proxy.url) });
    expect(await everyWay(network)).toEqual(["called", "200", "opened"]);
    expect(proxy.asked).toEqual(Array(3).fill(`CONNECT localhost:${port}`));
  });

  it("goes nothing that NO_PROXY names, and nothing of this machine unless it is told so", async () => {
    for (const more of [{ noProxy: "localhost" }, { noProxy: "*" }, { loopback: false }]) {
      const network = createNetwork({ caFile: ca, rules: through(proxy.url, more) });
      expect(await everyWay(network)).toEqual(["called", "200", "opened"]);
    }
    expect(proxy.asked).toEqual([]);
  });

  it("a proxy that lets nobody in, or is not there, is said so", async () => {
    const wrong = createNetwork({ caFile: ca, rules: through(proxy.url.replace("secret", "wrong")) });
    for (const said of await everyWay(wrong)) expect(said).toContain("407");
    const gone = createNetwork({ caFile: ca, rules: through("http://127.0.0.1:1") });
    for (const said of await everyWay(gone)) expect(said).toMatch(/ECONNREFUSED|fetch failed/);
  });

  it("plain HTTP goes as well, and a name that only the proxy knows", async () => {
    const network = createNetwork({ caFile: null, rules: through(proxy.url) });
    const plain = createPlainServer((_request, response) => response.end("{}")).listen(0, "127.0.0.1");
    await once(plain, "listening");
    const { port } = plain.address() as AddressInfo;
    const http = createHttpClient({
      addresses: createAddresses([`http://coordinator.test:${port}`]),
      credential: null,
      network,
    });
    const called = await http.call({ method: "GET", path: "/v1/version", timeoutMs: 5_000 });
    await http.close();
    plain.closeAllConnections();
    plain.close();
    expect(called).toEqual({ ok: true, value: {} });
    expect(proxy.asked).toEqual([expect.stringContaining(`coordinator.test:${port}`)]);
  });
});

describe("ca_file", () => {
  it("that is replaced counts from the next request on, and a broken one is not taken", async () => {
    await copyFile(join(TLS, "second.crt"), ca);
    const warned: string[] = [];
    const log = { debug: () => undefined, info: () => undefined, error: () => undefined };
    const network = createNetwork({
      caFile: ca,
      log: { ...log, warn: (_fields, message) => void warned.push(message) },
    });
    const http = createHttpClient({ addresses: addresses(), credential: null, network });
    const call = () => http.call({ method: "GET", path: "/v1/version", timeoutMs: 5_000 });
    expect(await call()).toMatchObject({ ok: false, error: { kind: "unreachable" } });
    const before = network.reading();
    await copyFile(join(TLS, "first.crt"), ca);
    expect(await call()).toMatchObject({ ok: true });
    expect(network.reading()).toBe(before + 1);
    await writeFile(ca, "nonsense");
    expect(await call()).toMatchObject({ ok: true });
    await rm(ca);
    expect(await call()).toMatchObject({ ok: true });
    expect(await call()).toMatchObject({ ok: true });
    expect(warned).toHaveLength(2);
    expect(warned[0]).toContain("What it held is kept.");
    await http.close();
  });

  it("that was never there is said so, and is read once it is", async () => {
    await rm(ca);
    const network = createNetwork({ caFile: ca });
    const http = createHttpClient({ addresses: addresses(), credential: null, network });
    const call = () => http.call({ method: "GET", path: "/v1/version", timeoutMs: 5_000 });
    expect(await call()).toMatchObject({ ok: false, error: { code: "ca-file-unreadable" } });
    await expect(network.socketTo("wss://x")).rejects.toThrow("holds no certificate");
    await copyFile(join(TLS, "first.crt"), ca);
    expect(await call()).toMatchObject({ ok: true });
    await http.close();
  });
});

describe("the settings", () => {
  const env = { HTTPS_PROXY: "http://env.example:1", NO_PROXY: "env.internal" };
  it.each([
    [{}, "env.example:1", "env.internal"],
    [{ proxy: "http://ours.example:2" }, "ours.example:2", "env.internal"],
    [{ proxy: "none" }, undefined, "env.internal"],
    [{ noProxy: ["a", "10.0.0.0/8"] }, "env.example:1", "a,10.0.0.0/8"],
    [{ noProxy: "" }, "env.example:1", ""],
  ])("%j win over the environment", (settings, host, noProxy) => {
    const rules = rulesOf({ proxyLoopback: false, ...settings }, env);
    expect([rules.https?.host, rules.noProxy]).toEqual([host, noProxy]);
  });
});
