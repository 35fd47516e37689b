/** `GET /v1/events` over real sockets, on a real store. */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { STREAM_TIMES, writeEvents } from "../../../server-stub/api/event-stream.ts";
import { startCoordinator, type TestCoordinator } from "../harness/coordinator.ts";
import { EventReader } from "../harness/event-reader.ts";
import { joinNode } from "../harness/node.ts";
import { ADMIN, House, must } from "../service/house.ts";

describe("the stream of a coordinator", () => {
  let coordinator: TestCoordinator;
  const readers: EventReader[] = [];
  beforeEach(async () => {
    coordinator = await startCoordinator("[events]\nstreams_per_token = 3\n");
  });
  afterEach(async () => {
    for (const reader of readers.splice(0)) reader.close();
    await coordinator.stop();
  });
  const open = async (options: Parameters<typeof EventReader.open>[1] = {}): Promise<EventReader> => {
    const reader = await EventReader.open(coordinator.url, { token: coordinator.adminToken, ...options });
    readers.push(reader);
    return reader;
  };
  const makeGroup = (name: string) => coordinator.call("POST", "/v1/groups", { body: { name } });

  test("says what changes, as the API shows it, and says at once where it begins", async () => {
    const reader = await open();
    expect(reader.response.statusCode).toBe(200);
    expect(reader.response.httpVersion).toBe("1.1");
    expect(reader.response.headers).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
    });
    expect(await reader.block()).toMatchObject({ data: null, id: expect.stringMatching(/^0-\d+$/) });
    await makeGroup("web");
    const event = await reader.nextOf("group");
    expect(event).toMatchObject({
      subject: "web",
      value: (await coordinator.call("GET", "/v1/groups/web")).body,
    });
    expect(reader.lastEventId).toBe(`0-${event.id}`);
    const node = await joinNode(coordinator, { name: "one" });
    expect(await reader.nextOf("node")).toMatchObject({ subject: node.nodeId, value: { name: "one" } });
    await coordinator.call("DELETE", `/v1/nodes/${node.nodeId}`);
    expect(await reader.nextOf("node-removed")).toMatchObject({ subject: node.nodeId, value: null });
  });

  test("leaves out the kinds that were not asked for", async () => {
    const reader = await open({ query: "?kinds=node,alert" });
    const node = await joinNode(coordinator, { name: "one" });
    expect(await reader.next()).toMatchObject({ kind: "node", subject: node.nodeId });
    const wrong = await coordinator.call("GET", "/v1/events?kinds=node,nonsense");
    expect([wrong.status, wrong.body.code]).toEqual([400, "malformed"]);
    expect((await coordinator.call("GET", "/v1/events?after=nonsense")).status).toBe(400);
  });

  test("goes on where it was, also over a restart: each subject once, as it is now", async () => {
    const before = await open();
    await makeGroup("web");
    await before.nextOf("group");
    const place = before.lastEventId;
    await makeGroup("db");
    for (const spare of [1, 2, 3]) await coordinator.call("PATCH", "/v1/groups/db", { body: { spare } });
    const ended = before.end();
    await coordinator.restart();
    expect((await ended).length, "the last events, and a clean end").toBeGreaterThan(0);
    await makeGroup("late");
    for (const how of [{ after: place }, { query: `?after=${place}` }]) {
      const reader = await open({ ...how });
      const [db, late] = [await reader.nextOf("group"), await reader.nextOf("group")];
      expect(db).toMatchObject({ subject: "db", value: { spare: 3 } });
      expect(late).toMatchObject({ subject: "late" });
      expect(late.id).toBeGreaterThan(db.id);
    }
  });

  test.each(["nonsense", "7-1", "0-999999999", ""])(
    "says reset after %j, and then goes on",
    async (after) => {
      const reader = await open({ after });
      const reset = await reader.said();
      expect(reset).toMatchObject({ event: "reset", data: expect.stringContaining("reason") });
      expect(reset?.id).toMatch(/^0-\d+$/);
      await makeGroup("web");
      expect(await reader.next()).toMatchObject({ kind: "group", subject: "web" });
    },
  );

  test("ends when its token is revoked, and goes on for others", async () => {
    const { body } = await coordinator.call("POST", "/v1/tokens", { body: { name: "eve", role: "viewer" } });
    const { secret, token } = body as { secret: string; token: { id: string } };
    const [hers, ours] = [await open({ token: secret }), await open()];
    await coordinator.call("POST", `/v1/tokens/${token.id}/revoke`);
    await hers.end();
    expect(await ours.next()).toMatchObject({ kind: "token", subject: token.id, value: null });
  });

  test("is given to a token so many times, and again when one has ended", async () => {
    const three = [await open(), await open(), await open()];
    const refused = await coordinator.call("GET", "/v1/events");
    expect([refused.status, refused.body.code]).toEqual([429, "too-many-requests"]);
    expect(refused.headers.get("retry-after")).not.toBeNull();
    three[0]?.close();
    await expect.poll(async () => (await open()).response.statusCode).toBe(200);
  });
});

describe("a stream that is written", () => {
  const serve = async (
    house: House,
    mayGoOn: () => Promise<boolean>,
    times: Partial<Record<keyof typeof STREAM_TIMES, number>>,
  ) => {
    const closed = Promise.withResolvers<void>();
    let answering: ServerResponse | undefined;
    const write = async (response: ServerResponse): Promise<void> => {
      const stream = must(await house.baton.events.open(ADMIN, { after: null, kinds: null }));
      response.writeHead(200, { "content-type": "text/event-stream" });
      await writeEvents(response, stream, mayGoOn, { ...STREAM_TIMES, ...times });
    };
    const server = createServer((_request, response) => {
      answering = response;
      response.on("close", closed.resolve);
      write(response).catch(closed.reject);
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return {
      url,
      closed: closed.promise,
      /** When nothing more fits into the sockets on the way. */
      full: () => {
        let before = -1;
        const isFull = (): boolean => {
          const { bytesWritten = 0 } = answering?.socket ?? {};
          const stands = answering?.writableNeedDrain === true && bytesWritten === before;
          before = bytesWritten;
          return stands;
        };
        return expect.poll(isFull, { interval: 20 }).toBe(true);
      },
      [Symbol.asyncDispose]: async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  };
  const announce = (house: House, from: number, count: number, pad: string) =>
    house.store.apply(
      Array.from({ length: count }, (_, at) => ({
        kind: "announce" as const,
        event: "release" as const,
        subject: `${from + at}${pad}`,
      })),
    );

  test("gives signs of life, and ends when its reader may read no more", async () => {
    await using house = await House.build();
    let may = true;
    await using served = await serve(house, () => Promise.resolve(may), { aliveMs: 5 });
    const reader = await EventReader.open(served.url, {});
    for (let blocks = 0; blocks < 4; blocks += 1) {
      expect(await reader.block()).toEqual({ event: "message", id: "0-0", data: null });
    }
    may = false;
    expect(await reader.end()).toEqual([]);
  });

  /** More is said than the sockets on the way take, and then far too much. */
  const overflow = async (house: House, served: Awaited<ReturnType<typeof serve>>): Promise<void> => {
    await announce(house, 0, 9_000, "x".repeat(2_000));
    await served.full();
    await announce(house, 9_000, 9_000, "");
  };

  test("tells a reader that is far too slow to read everything anew, and ends", async () => {
    await using house = await House.build();
    await using served = await serve(house, () => Promise.resolve(true), {});
    const reader = await EventReader.open(served.url, {});
    await reader.block();
    reader.response.pause();
    await overflow(house, served);
    const said = await reader.end();
    expect(said.at(-1)?.slice(0, 100)).toContain("so slow");
    expect(Number(reader.lastEventId.replace("0-", "")), "where it goes on").toBeGreaterThan(10_000);
    expect(said.length).toBeLessThan(9_000);
    const again = must(await house.baton.events.open(ADMIN, { after: "0-1", kinds: null }));
    expect(await again.next()).toMatchObject({ kind: "reset", id: `0-${await house.store.lastEventId()}` });
    again.close();
    expect(await again.next()).toBeNull();
  });

  test("cuts a reader off that takes not even that", async () => {
    await using house = await House.build();
    await using served = await serve(house, () => Promise.resolve(true), { lastWordsMs: 10 });
    const socket = connect(Number(new URL(served.url).port), "127.0.0.1");
    socket.write("GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n");
    await once(socket, "readable");
    await overflow(house, served);
    await served.closed;
    let last = "";
    for await (const part of socket) last = String(part).slice(-5);
    expect(last, "what ends a body that is whole").not.toBe("0\r\n\r\n");
  });
});
