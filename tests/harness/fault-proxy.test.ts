import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { FaultProxy } from "./fault-proxy.ts";

const BODY = Buffer.alloc(300_000, "x");

let server: Server;
let sockets: WebSocketServer;
let proxy: FaultProxy;

/** A server that answers ranges of a body, echoes bodies, and says every WebSocket message back. */
beforeEach(async () => {
  server = createServer((request, response) => {
    if (request.method === "POST") return void request.pipe(response);
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    response.writeHead(from === 0 ? 200 : 206).end(BODY.subarray(from));
  });
  sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => socket.on("message", (data, binary) => socket.send(data, { binary })));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  proxy = await FaultProxy.listen({
    target: { host: "127.0.0.1", port: (server.address() as AddressInfo).port },
  });
});

afterEach(async () => {
  await proxy.close();
  for (const client of sockets.clients) client.terminate();
  await new Promise((resolve) => server.close(resolve));
});

const get = async (headers: Record<string, string> = {}) => {
  const response = await fetch(`${proxy.url}/file`, { headers });
  return (await response.arrayBuffer()).byteLength;
};

test("passes requests on, both ways, and remembers what was asked", async () => {
  expect(await get()).toBe(BODY.length);
  expect(await get({ range: "bytes=100-", "if-range": '"tag"' })).toBe(BODY.length - 100);
  expect(await (await fetch(proxy.url, { method: "POST", body: "hello" })).text()).toBe("hello");
  expect(proxy.requests).toMatchObject([
    { method: "GET", path: "/file", status: 200, bytes: BODY.length, range: undefined },
    {
      method: "GET",
      path: "/file",
      status: 206,
      bytes: BODY.length - 100,
      range: "bytes=100-",
      ifRange: '"tag"',
    },
    { method: "POST", path: "/", status: 200, bytes: 5 },
  ]);
});

test.each(["reset", "close"] as const)(
  "%s: cuts a response after so many bytes, as often as told",
  async (what) => {
    proxy.inflict({ do: what, path: /^\/file/, afterBytes: 1_000, times: 1 });
    await expect(get()).rejects.toThrow("terminated");
    expect(proxy.requests).toMatchObject([{ status: 200, bytes: 1_000, fault: what }]);
    expect(await get()).toBe(BODY.length);
  },
);

test("refuse: no answer at all, until it is taken away", async () => {
  const stop = proxy.inflict({ do: "refuse" });
  await expect(get()).rejects.toThrow("fetch failed");
  stop();
  expect(await get()).toBe(BODY.length);
});

test("stall: the bytes stop but the connection stays", async () => {
  proxy.inflict({ do: "stall", afterBytes: 10, times: 1 });
  const abort = new AbortController();
  const response = await fetch(`${proxy.url}/file`, { signal: abort.signal });
  const reader = response.body?.getReader();
  expect((await reader?.read())?.value?.length).toBe(10);
  let ended = false;
  const next = reader?.read().finally(() => {
    ended = true;
  });
  expect(await get(), "another request goes through meanwhile").toBe(BODY.length);
  expect(ended).toBe(false);
  abort.abort();
  await expect(next).rejects.toThrow("aborted");
});

test("delay: late, but whole", async () => {
  proxy.inflict({ do: "delay", delayMs: 60 });
  const started = performance.now();
  expect(await get()).toBe(BODY.length);
  expect(performance.now() - started).toBeGreaterThanOrEqual(59);
});

test("a dead server behind it looks like a dead server", async () => {
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  await expect(get()).rejects.toThrow("fetch failed");
  server.listen(0);
  await once(server, "listening");
});

test("single WebSocket messages can be lost, in either direction", async () => {
  const undo = proxy.filterFrames((frame) => (frame.text.includes("confirm") ? "drop" : "pass"));
  const socket = new WebSocket(proxy.url.replace("http", "ws"), { perMessageDeflate: false });
  const heard: string[] = [];
  socket.on("message", (data: Buffer) => heard.push(data.toString()));
  await once(socket, "open");
  for (const text of ["one", "confirm", "x".repeat(200), "y".repeat(70_000)]) socket.send(text);
  await expect.poll(() => heard.length).toBe(3);
  expect(heard.map((text) => text.length)).toEqual([3, 200, 70_000]);
  undo();
  socket.send("confirm");
  await expect.poll(() => heard.length).toBe(4);
  const seen = proxy.frames.filter((frame) => frame.text === "confirm");
  expect(seen.map(({ direction, dropped }) => [direction, dropped])).toEqual([
    ["toServer", true],
    ["toServer", false],
    ["toClient", false],
  ]);
  socket.close();
  await once(socket, "close");
});

test("cut: what is open now ends, what comes later goes through", async () => {
  const socket = new WebSocket(proxy.url.replace("http", "ws"));
  await once(socket, "open");
  const closed = once(socket, "close");
  socket.on("error", () => undefined);
  proxy.cut("127.0.0.1");
  expect((await closed)[0]).toBe(1006);
  expect(await get()).toBe(BODY.length);
});
