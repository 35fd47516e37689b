/** The doctor on a real node's directory, a real coordinator behind TLS, and a real proxy. */
import { once } from "node:events";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { type AddressInfo, createServer as createSilentServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parseConfig } from "../../../agent/config.ts";
import { lookAtServer } from "../../../agent/doctor/gather/coordinator.ts";
import { limited } from "../../../agent/doctor/gather/limited.ts";
import { type DoctorParts, lookAtNode } from "../../../agent/doctor/look.ts";
import { realDisk } from "../../../agent/effects/disk.ts";
import { writeJoined } from "../../../agent/effects/identity.ts";
import { layoutOf } from "../../../agent/effects/layout.ts";
import { silentLog } from "../../../agent/effects/log.ts";
import { makeLayout } from "../../../agent/effects/recover.ts";
import { findRunning } from "../../../agent/running.ts";
import { networkOf } from "../../../agent/session/network.ts";
import type { Finding } from "../../../protocol/finding.ts";
import { type ConnectProxy, startConnectProxy } from "../../harness/connect-proxy.ts";
import { problem } from "../plain-server.ts";

const TLS = join(import.meta.dirname, "../../testdata/tls");
const CREDENTIAL = "baton_node_0123456789abcdef";
const NODE_ID = "n-0123456789ab";

let dir = "";
let home = "";
let server: Server;
let url = "";
let proxy: ConnectProxy;
/** What the coordinator answers; each test may say otherwise. */
let answer: (request: IncomingMessage, response: ServerResponse) => void;

const AS_IT_SHOULD: typeof answer = (request, response) => {
  const known = request.headers.authorization === `Bearer ${CREDENTIAL}`;
  if (request.url === "/v1/version")
    response.end(JSON.stringify({ version: "1.4.0", protocol: 2, oldestProtocol: 1 }));
  else if (known && request.url === `/v1/nodes/${NODE_ID}`) response.end("{}");
  else
    response
      .writeHead(401)
      .end(JSON.stringify(problem(401, "unauthorized", "This credential is not known.")));
};

beforeAll(async () => {
  const [cert, key] = await Promise.all([readFile(join(TLS, "first.crt")), readFile(join(TLS, "first.key"))]);
  server = createServer({ cert, key }, (request, response) => answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `https://localhost:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "baton-doctor-"));
  home = join(dir, "home");
  await mkdir(home);
  await makeLayout(realDisk, layoutOf(home));
  await copyFile(join(TLS, "first.crt"), join(dir, "ca.pem"));
  const identity = { nodeId: NODE_ID, name: "one", group: "db", credential: CREDENTIAL };
  await writeJoined(realDisk, join(home, "state"), {
    identity: { format: 1, servers: [url], ...identity },
    pinnedRoot: Buffer.from("{}"),
  });
  proxy = await startConnectProxy({ user: "ada:s3cret" });
  answer = AS_IT_SHOULD;
});
afterEach(async () => {
  await proxy.stop();
  await rm(dir, { recursive: true });
});

async function look(settings = "", env: NodeJS.ProcessEnv = {}, more: Partial<DoctorParts> = {}) {
  const text = `state_dir = "${home}"\ncontrol_socket = "${dir}/control.sock"\nca_file = "${dir}/ca.pem"\n${settings}`;
  const config = await parseConfig(text, "agent.toml");
  if (!config.ok) throw new Error(config.error.message);
  const findings = await lookAtNode({
    config: config.value,
    settingsFault: null,
    env: { PATH: process.env.PATH, ...env },
    running: findRunning(undefined),
    network: networkOf(config.value, env, silentLog),
    self: null,
    ...more,
  });
  expect(JSON.stringify(findings)).not.toContain(CREDENTIAL);
  expect(JSON.stringify(findings)).not.toContain("s3cret");
  return findings;
}

const codes = (findings: readonly Finding[], ...checks: string[]) =>
  findings.filter(({ check }) => checks.includes(check)).map(({ code }) => code);

describe("the coordinator", () => {
  const far = ["coordinator", "certificates", "clock"];

  it("that is well is said so, with its certificate, the clock and both versions", async () => {
    const findings = await look();
    expect(codes(findings, ...far)).toEqual(["reached", "ca-file", "server-certificate", "clock-right"]);
    expect(codes(findings, "versions")).toEqual(["versions", "coordinator-version"]);
    expect(findings.find(({ code }) => code === "reached")?.message).toContain("and knows this node");
  });

  it("is gone to through the proxy that the agent would take, whose password nobody is told", async () => {
    const found = await look("proxy_loopback = true", { HTTPS_PROXY: proxy.url });
    expect(codes(found, "coordinator")).toEqual(["reached"]);
    expect(found.find(({ code }) => code === "reached")?.message).toContain(
      `proxy http://127.0.0.1:${proxy.port}`,
    );
    expect(proxy.asked.length).toBeGreaterThan(0);
    const wrong = await look(`proxy_loopback = true\nproxy = "http://ada:wrong@127.0.0.1:${proxy.port}"`);
    expect(codes(wrong, "coordinator")).toEqual(["broken-answer"]);
    expect(wrong.find(({ check }) => check === "coordinator")?.message).toContain("407");
    const gone = await look("proxy_loopback = true", {
      https_proxy: "http://127.0.0.1:1",
      HTTP_PROXY: "socks5://x",
    });
    expect(codes(gone, "settings", "coordinator")).toEqual([
      "settings-ok",
      "proxy-malformed",
      "no-connection",
    ]);
  });

  it("that nobody vouches for is shown no credential", async () => {
    await copyFile(join(TLS, "second.crt"), join(dir, "ca.pem"));
    let asked = 0;
    answer = () => (asked += 1);
    const findings = await look();
    expect(codes(findings, ...far)).toEqual(["certificate-not-trusted", "ca-file", "clock-not-compared"]);
    expect(asked).toBe(0);
  });

  it("that has another clock, does not know this node, or is no coordinator", async () => {
    answer = (request, response) => {
      response.setHeader("date", new Date(Date.now() - 3_600_000).toUTCString());
      AS_IT_SHOULD(request, response);
    };
    expect(codes(await look(), "clock")).toEqual(["clock-far-off"]);
    answer = (request, response) => AS_IT_SHOULD(Object.assign(request, { headers: {} }), response);
    expect(codes(await look(), "coordinator")).toEqual(["credential-refused"]);
    answer = (_request, response) => response.writeHead(302, { location: "/login" }).end();
    expect(codes(await look(), "coordinator")).toEqual(["not-a-coordinator"]);
  });

  it("that is away, or says nothing, does not hold the doctor up", async () => {
    expect(codes(await look('server = "https://127.0.0.1:1"'), ...far)).toEqual([
      "no-connection",
      "ca-file",
      "clock-not-compared",
    ]);
    const silent = createSilentServer(() => undefined);
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const network = networkOf({ proxyLoopback: false }, {}, silentLog);
    const facts = await lookAtServer(`https://127.0.0.1:${port}`, network, null, 50);
    expect(facts.answer).toMatchObject({ ok: false, code: "timed-out" });
    silent.close();
  });

  it("of a node that has not joined is not looked for", async () => {
    await rm(join(home, "state/node.json"));
    expect(codes(await look(), "coordinator")).toEqual(["no-coordinator"]);
  });
});

describe("the directory of a node", () => {
  it("is looked at without an agent, and nothing in it is changed", async () => {
    const findings = await look();
    expect(codes(findings, "agent", "builds", "permissions")).toEqual([
      "agent-not-running",
      "dist-missing",
      "no-backup",
      "paths-ok",
    ]);
    // The pinned root of this test is no root.
    expect(codes(findings, "trust")).toEqual(["root-unusable"]);
  });

  it("with a credential that others may read, torn records, and links to what is not whole", async () => {
    await chmod(join(home, "state/node.json"), 0o644);
    await writeFile(join(home, "state/journal.json"), "{");
    await mkdir(join(home, "releases/1.0.0-aaaaaaaaaaaa"));
    await symlink("releases/1.0.0-aaaaaaaaaaaa", join(home, "dist"));
    await mkdir(join(home, "state/trial"));
    await mkdir(join(home, "state/tuf/current"), { recursive: true });
    await chmod(join(home, "state/tuf"), 0o700);
    await writeFile(join(home, "state/tuf/current/targets.json"), '{"signed"');
    await writeFile(join(home, `state/quarantine/${"b".repeat(64)}`), "");
    const findings = await look();
    expect(codes(findings, "permissions")).toEqual(["path-open"]);
    expect(codes(findings, "builds")).toEqual([
      "dist-incomplete",
      "no-backup",
      "journal-unreadable",
      "quarantined",
    ]);
    expect(codes(findings, "guard")).toContain("trial-damaged");
  });

  it("that is not there, with a ca_file that is not there either", async () => {
    await rm(home, { recursive: true });
    await rm(join(dir, "ca.pem"));
    const findings = await look(`server = "${url}"`);
    expect(codes(findings, "disk", "permissions")).toEqual(["state-missing", "path-missing", "path-missing"]);
    expect(codes(findings, "certificates")).toEqual(["ca-file-unreadable"]);
  });
});

describe("the guard", () => {
  it("of the package is asked what it reads; one that cannot be run is said so", async () => {
    const programs = join(import.meta.dirname, "../../../packaging/guard");
    const good = await look("", { BATON_NODE: join(programs, "node") });
    expect(codes(good, "guard")).toEqual(["guard-ok"]);
    const broken = await look("", { BATON_NODE: join(dir, "node") });
    expect(codes(broken, "guard")).toEqual(["guard-absent"]);
  });

  it("and what the launcher counted of the process that runs", async () => {
    const programs = join(import.meta.dirname, "../../../packaging/guard");
    const seconds = Number.parseInt(await readFile("/proc/uptime", "utf8"), 10);
    await writeFile(join(dir, "process"), `4711 ${seconds} 4 1.0.0-aaaaaaaaaaaa\n`);
    expect(codes(await look("", { BATON_NODE: join(programs, "node") }), "guard")).toEqual([
      "guard-ok",
      "crashing",
    ]);
    await writeFile(join(dir, "process"), `4711 ${seconds - 61} 4 1.0.0-aaaaaaaaaaaa\n`);
    expect(codes(await look("", { BATON_NODE: join(programs, "node") }), "guard")).toEqual(["guard-ok"]);
  });
});

it("a look that never ends is late, and one that fails says why", async () => {
  expect(await limited(5, () => new Promise(() => undefined))).toEqual({ kind: "late", afterMs: 5 });
  expect(await limited(5_000, () => Promise.reject(new Error("EACCES: permission denied")))).toEqual({
    kind: "failed",
    why: "EACCES: permission denied",
  });
});
