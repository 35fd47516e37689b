/** The door of one of several coordinators, between real servers that stand for them. */
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, expect, test } from "vitest";
import { createDoor, type Door } from "../../../server-stub/replicas/door.ts";
import { createLink } from "../../../server-stub/replicas/link.ts";
import { createOrigins } from "../../../server-stub/replicas/origins.ts";

type Seat = { readonly claim: string; readonly address?: string } | null;
type Answer = { status: number; headers: IncomingMessage["headers"]; body: string };
const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});

/** A coordinator whose own answer says what it saw. */
async function start(
  mine: string | null,
  answer: (request: IncomingMessage, response: ServerResponse) => void = sayWhatCame,
) {
  const origins = createOrigins();
  let seat: Seat = null;
  const seated = { hasSeat: () => mine !== null, seat: () => (mine === null ? seat : { claim: mine }) };
  const quiet = { debug: () => undefined, warn: () => undefined };
  const heard = new Set<(nodeId: string) => void>();
  const got: string[] = [];
  const link = createLink(
    { toSeat: () => door.toSeat(), fault: () => door.fault(), reached: () => door.reached() },
    () => ({
      current: () => ({ shows: { node: async (id: string) => ({ id, presence: "online" }) } }) as never,
      onHeard: (listener) => {
        heard.add(listener);
        return () => void heard.delete(listener);
      },
      heardElsewhere: (nodeId) => void got.push(nodeId),
    }),
  );
  const door: Door = createDoor({ seated, origins, tls: {}, log: quiet, inside: link.answer });
  const server = createServer((asked, response) => {
    if (door.request(asked, response)) return;
    response.setHeader("x-seen-from", origins.fromOf(asked));
    response.setHeader("x-seen-safe", String(origins.isSafe(asked)));
    response.setHeader("x-seen-local", String(origins.isLocal(asked.headers)));
    answer(asked, response);
  });
  server.on("upgrade", (asked, socket, head) => {
    if (door.upgrade(asked, socket, head)) return;
    socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n");
    socket.pipe(socket);
    socket.on("error", () => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    link.close();
    door.close();
    server.close();
    server.closeAllConnections();
  };
  running.push({ stop });
  return {
    door,
    link,
    heard,
    got,
    port,
    url: `http://127.0.0.1:${port}`,
    stop,
    sees: (next: Seat) => {
      seat = next;
      door.moved();
    },
  };
}

function sayWhatCame(asked: IncomingMessage, response: ServerResponse): void {
  text(asked).then(
    (body) =>
      response.end(JSON.stringify({ method: asked.method, url: asked.url, headers: asked.headers, body })),
    () => response.destroy(),
  );
}

async function ask(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { method = "GET", headers = {}, body } = options;
  const asked = request(url, { method, headers, agent: false });
  asked.end(body);
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: await text(answer) };
}

test("a request is handed on as it is, and who asked is told with it; nobody else is believed in that", async () => {
  const seat = await start("claim-1");
  const door = await start(null);
  door.sees({ claim: "claim-1", address: seat.url });
  const headers = {
    "x-baton-door-for": "6.6.6.6",
    "x-baton-door-local": "1",
    "x-baton-door-tls": "1",
    "x-request-id": "mine",
    te: "gzip",
  };
  const answer = await ask(`${door.url}/v1/groups?x=1`, { method: "POST", headers, body: '{"a":1}' });
  expect(answer.status).toBe(200);
  expect(answer.headers["x-seen-from"]).toBe("127.0.0.1");
  expect(answer.headers["x-seen-local"]).toBe("false");
  expect(answer.headers["x-seen-safe"]).toBe("false");
  const seen = JSON.parse(answer.body);
  expect(seen).toMatchObject({ method: "POST", url: "/v1/groups?x=1", body: '{"a":1}' });
  expect(seen.headers).toMatchObject({ "x-request-id": "mine", host: `127.0.0.1:${door.port}` });
  expect(seen.headers.te).toBeUndefined();
  const direct = await ask(`${seat.url}/v1/groups`, { headers: { "x-baton-door-for": "6.6.6.6" } });
  expect(direct.headers["x-seen-from"]).toBe("127.0.0.1");
});

test("without a body none is sent, and what all can say is not handed on", async () => {
  const seat = await start("claim-1");
  const door = await start(null);
  door.sees({ claim: "claim-1", address: seat.url });
  const removed = JSON.parse((await ask(`${door.url}/v1/nodes/n`, { method: "DELETE" })).body);
  expect(removed.headers["transfer-encoding"]).toBeUndefined();
  for (const path of ["/healthz", "/metrics", "/tuf/metadata/timestamp.json", "/v1/events?kinds=node", "/"]) {
    expect(JSON.parse((await ask(door.url + path)).body).headers["x-baton-door"]).toBeUndefined();
  }
});

test("what was handed on is never handed on again, and a wrong claim is refused", async () => {
  const door = await start(null);
  const other = await start(null);
  door.sees({ claim: "claim-1", address: other.url });
  other.sees({ claim: "claim-1", address: door.url });
  const answer = await ask(`${door.url}/v1/groups`);
  expect(answer.status).toBe(503);
  expect(answer.headers["retry-after"]).toBe("1");
  expect(JSON.parse(answer.body)).toMatchObject({ code: "unavailable" });
  const seat = await start("claim-2");
  for (const claim of ["claim-1", ""]) {
    expect((await ask(`${seat.url}/v1/groups`, { headers: { "x-baton-door": claim } })).status).toBe(503);
  }
});

test("while nobody decides the answer is unavailable, and so it is when who decided is gone; then it is noticed", async () => {
  const door = await start(null);
  expect((await ask(`${door.url}/v1/groups`)).status).toBe(503);
  const seat = await start("claim-1");
  await seat.stop();
  door.sees({ claim: "claim-1", address: seat.url });
  const answer = await ask(`${door.url}/v1/groups`, { method: "POST", body: "x".repeat(100_000) });
  expect(answer.status).toBe(503);
  expect(door.door.fault()).toContain("ECONNREFUSED");
  const again = await start("claim-2");
  door.sees({ claim: "claim-2", address: again.url });
  expect(door.door.fault()).toBeNull();
  expect((await ask(`${door.url}/v1/groups`)).status).toBe(200);
});

test("what waits for one that does not answer is given up when another decides", async () => {
  const asked = Promise.withResolvers<void>();
  const silent = await start("claim-1", () => asked.resolve());
  const door = await start(null);
  door.sees({ claim: "claim-1", address: silent.url });
  const answer = ask(`${door.url}/v1/groups`);
  await asked.promise;
  door.sees({ claim: "claim-2" });
  expect((await answer).status).toBe(503);
});

test("a socket is led to who decides, byte by byte, and cut when another does", async () => {
  const seat = await start("claim-1");
  const door = await start(null);
  door.sees({ claim: "claim-1", address: seat.url });
  const socket = connect(door.port, "127.0.0.1");
  const closed = once(socket, "close");
  socket.setEncoding("utf8");
  socket.write(
    "GET /v1/session HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nx-baton-door-for: 6.6.6.6\r\n\r\nearly ",
  );
  let said = "";
  while (!said.endsWith("early ")) said += String((await once(socket, "data"))[0]);
  expect(said).toMatch(/^HTTP\/1\.1 101 /);
  socket.write("later");
  expect((await once(socket, "data"))[0]).toBe("later");
  door.sees({ claim: "claim-2", address: seat.url });
  await closed;
});

test("a socket that nobody can take is refused with a time to ask again", async () => {
  const door = await start(null);
  const socket = connect(door.port, "127.0.0.1");
  socket.write("GET /v1/session HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
  const lines = (await text(socket)).split("\r\n");
  expect(lines[0]).toBe("HTTP/1.1 503 Service Unavailable");
  expect(lines).toContain("retry-after: 1");
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ code: "unavailable" });
});

test("a coordinator asks who decides for itself: what it shows, what it hears, and whether it answers again", async () => {
  const seat = await start("claim-1");
  const door = await start(null);
  expect(await door.link.shows("node", "n-1")).toBeNull();
  door.sees({ claim: "claim-1", address: seat.url });
  expect(await door.link.shows("node", "n-1")).toEqual({ value: { id: "n-1", presence: "online" } });
  expect(await door.link.shows("nothing", "n-1")).toBeNull();
  await door.link.look();
  await expect.poll(() => seat.heard.size).toBe(1);
  for (const listener of seat.heard) listener("n-1");
  await expect.poll(() => door.got).toEqual(["n-1"]);
  expect((await ask(`${seat.url}/-/shows?kind=node&subject=n-1`)).body).toContain('"url":"/-/shows');
});
