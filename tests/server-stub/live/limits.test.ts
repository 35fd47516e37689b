import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import pino from "pino";
import { afterEach, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { type CoordinatorFrame, SUBPROTOCOL } from "../../../protocol/frames.ts";
import { ok } from "../../../protocol/result.ts";
import type { ConnectionLimits } from "../../../server-stub/live/connection.ts";
import { createLiveDoor, type LiveDoor } from "../../../server-stub/live/door.ts";
import type { IdentifyCaller } from "../../../server-stub/live/upgrade.ts";
import type { Sessions } from "../../../server-stub/service/coordinator.ts";
import { helloOf } from "../harness/node.ts";

const NODE = {
  kind: "node",
  nodeId: "n-000000000001",
  group: "db",
  membership: "approved",
  from: "127.0.0.1",
} as const;

const welcome: CoordinatorFrame = {
  type: "welcome",
  session: "0".repeat(32),
  nodeId: NODE.nodeId,
  name: "ann",
  group: "db",
  heartbeatMs: 1000,
};

/** Peers that the real coordinator never is: what stands behind the door here floods, hangs or fails on purpose. */
describe("a connection's limits", () => {
  let server: Server;
  let door: LiveDoor;
  const open: WebSocket[] = [];

  const listen = async (
    sessions: Sessions,
    limits: Partial<ConnectionLimits>,
    identify: IdentifyCaller = async () => ok(NODE),
  ): Promise<string> => {
    door = createLiveDoor({
      sessions,
      identify,
      log: pino({ level: "silent" }),
      limits: { closeMs: 200, ...limits },
    });
    server = createServer().on("upgrade", door.upgrade).listen(0, "127.0.0.1");
    await once(server, "listening");
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/session`;
  };
  const dial = async (url: string, options: WebSocket.ClientOptions = {}): Promise<WebSocket> => {
    const socket = new WebSocket(url, SUBPROTOCOL, options);
    open.push(socket);
    await once(socket, "open");
    return socket;
  };
  const closeOf = async (socket: WebSocket): Promise<number> => {
    const [code] = (await once(socket, "close")) as [number];
    return code;
  };
  /** The test's time limit ends it when that never comes. */
  const emptied = async (): Promise<boolean> => {
    while (door.size > 0) await new Promise((resolve) => setImmediate(resolve));
    return true;
  };
  const answering: Sessions = {
    receive: async () => [welcome],
    again: () => null,
    attach: () => () => undefined,
  };

  afterEach(async () => {
    for (const socket of open.splice(0)) socket.terminate();
    await door.close();
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });

  test("who says no hello is closed with 1008", async () => {
    const url = await listen(answering, { helloMs: 30 });
    expect(await closeOf(await dial(url))).toBe(1008);
  });

  test("nor does a hello that was not welcomed keep it open", async () => {
    const refused: CoordinatorFrame = { type: "refused", code: "unknown-session", message: "revoked" };
    let attached = 0;
    const attach = () => {
      attached += 1;
      return () => undefined;
    };
    const url = await listen({ ...answering, receive: async () => [refused], attach }, { helloMs: 200 });
    const socket = await dial(url);
    socket.send(JSON.stringify(helloOf(randomUUID())));
    expect(await closeOf(socket)).toBe(1008);
    expect(attached).toBe(0);
  });

  test("who said hello may stay", async () => {
    const url = await listen(answering, { helloMs: 30, pingMs: 20 });
    const socket = await dial(url);
    socket.send(JSON.stringify(helloOf(randomUUID())));
    await once(socket, "message");
    for (let pings = 0; pings < 4; pings += 1) await once(socket, "ping");
    expect(socket.readyState).toBe(WebSocket.OPEN);
  });

  test("a peer that answers no ping is cut off", async () => {
    const url = await listen(answering, { pingMs: 20 });
    const socket = await dial(url, { autoPong: false });
    expect(await closeOf(socket)).toBe(1006);
    expect(await emptied()).toBe(true);
  });

  test("a peer that does not read is cut off, and what waits for it stays bounded", async () => {
    const gone = Promise.withResolvers<void>();
    const flooding: Sessions = {
      ...answering,
      attach: (_, to) => {
        const refused: CoordinatorFrame = {
          type: "refused",
          code: "malformed",
          message: "x".repeat(100_000),
        };
        const timer = setInterval(() => {
          for (let each = 0; each < 20; each += 1) to.send(refused);
        }, 1);
        return () => {
          clearInterval(timer);
          gone.resolve();
        };
      },
    };
    const url = await listen(flooding, { maxUnreadBytes: 100_000 });
    const socket = await dial(url);
    socket.send(JSON.stringify(helloOf(randomUUID())));
    await once(socket, "message");
    socket.pause();
    await gone.promise;
    expect(await emptied()).toBe(true);
  });

  test("who is just being let in while all are sent away is sent away too", async () => {
    const asked = Promise.withResolvers<void>();
    const known = Promise.withResolvers<void>();
    const url = await listen(answering, {}, async () => {
      asked.resolve();
      await known.promise;
      return ok(NODE);
    });
    const socket = new WebSocket(url, SUBPROTOCOL);
    open.push(socket);
    const refused = once(socket, "unexpected-response") as Promise<[unknown, { statusCode: number }]>;
    await asked.promise;
    door.sendAway();
    known.resolve();
    const [, { statusCode }] = await refused;
    expect(statusCode).toBe(503);
    expect(door.size).toBe(0);
    socket.on("error", () => undefined);

    const later = await dial(url);
    expect(later.readyState).toBe(WebSocket.OPEN);
  });

  test("a peer that never ends the closing handshake is cut off", async () => {
    const superseded = Promise.withResolvers<() => void>();
    const url = await listen(
      {
        ...answering,
        attach: (_, to) => {
          superseded.resolve(() => to.superseded());
          return () => undefined;
        },
      },
      { closeMs: 30 },
    );
    const socket = await dial(url);
    socket.send(JSON.stringify(helloOf(randomUUID())));
    const supersede = await superseded.promise;
    socket.pause();
    supersede();
    expect(await emptied()).toBe(true);
    socket.resume();
    expect(await closeOf(socket)).toBe(4001);
  });

  test("frames are taken one after the other, in their order, however long each takes", async () => {
    const taken: string[] = [];
    let busy = false;
    const url = await listen(
      {
        ...answering,
        receive: async (_, [frame]) => {
          expect(busy).toBe(false);
          busy = true;
          await new Promise((resolve) => setImmediate(resolve));
          busy = false;
          taken.push(frame?.type === "hello" ? frame.instanceId : "");
          return [welcome];
        },
      },
      { maxWaiting: 4 },
    );
    const socket = await dial(url);
    const sent = Array.from({ length: 50 }, () => randomUUID() as string);
    for (const instanceId of sent) socket.send(JSON.stringify(helloOf(instanceId)));
    for (const _ of sent) await once(socket, "message");
    expect(taken).toEqual(sent);
  });

  test("a fault inside closes it with 1011, and tells nothing of what it was", async () => {
    const url = await listen({ ...answering, receive: () => Promise.reject(new Error("disk on fire")) }, {});
    const socket = await dial(url);
    socket.send(JSON.stringify(helloOf(randomUUID())));
    const [code, reason] = (await once(socket, "close")) as [number, Buffer];
    expect({ code, leaks: reason.toString().includes("disk") }).toEqual({ code: 1011, leaks: false });
  });
});
