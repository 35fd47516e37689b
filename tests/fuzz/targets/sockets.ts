/** Frames over real WebSockets, both ways: what does not fit ends one session and nothing else. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import WebSocket, { WebSocketServer } from "ws";
import { createAddresses } from "../../../agent/session/addresses.ts";
import { createNetwork } from "../../../agent/session/network.ts";
import { openWebSocket } from "../../../agent/session/websocket.ts";
import { AgentFrame, CoordinatorFrame, SUBPROTOCOL } from "../../../protocol/frames.ts";
import { Value } from "../../../protocol/schema.ts";
import type { TestCoordinator } from "../../server-stub/harness/coordinator.ts";
import { heartbeatOf, helloOf, type TestNode } from "../../server-stub/harness/node.ts";
import { fitting, type JsonSchema } from "../generate/from-schema.ts";
import { toText } from "../generate/nasty.ts";
import { decent } from "../says.ts";
import type { Target } from "../target.ts";
import { texts } from "./texts.ts";

/** What is sent: a text, or bytes that are called none. */
type Said = { readonly text: string; readonly isBinary: boolean };

const said = (text: fc.Arbitrary<string>): fc.Arbitrary<readonly Said[]> =>
  fc.array(fc.record({ text, isBinary: fc.constantFrom(false, false, false, true) }), {
    minLength: 1,
    maxLength: 4,
  });

/** Closing codes of RFC 6455 and of ours that tell the other side what it did. 1011 would be our own fault. */
const BLAMES = new Set([1001, 1002, 1003, 1007, 1008, 1009, 4001, 4002]);

const shapeOf = (schema: object): JsonSchema => JSON.parse(JSON.stringify(schema)) as JsonSchema;

/** To a coordinator, as a node of it. */
export function toCoordinator(there: () => { coordinator: TestCoordinator; node: TestNode }): Target {
  const right = fitting(shapeOf(AgentFrame)).map(toText);
  return {
    name: "an agent may say anything: it is answered, or its connection ends and nobody else's",
    runs: 20,
    property: fc.asyncProperty(
      said(fc.oneof(texts(AgentFrame), right)),
      fc.boolean(),
      async (messages, isGreeted) => {
        const { coordinator, node } = there();
        const url = `${coordinator.url.replace("http", "ws")}/v1/session`;
        const headers = { authorization: `Bearer ${node.credential}` };
        const socket = new WebSocket(url, SUBPROTOCOL, { headers });
        try {
          await once(socket, "open");
          const closed = new Promise<number>((resolve) => socket.once("close", resolve));
          if (isGreeted) {
            const hello = helloOf();
            socket.send(JSON.stringify(hello));
            const [data] = (await once(socket, "message")) as [Buffer];
            const { session } = JSON.parse(data.toString()) as { session: string };
            socket.send(JSON.stringify(heartbeatOf(session, 1, hello.instanceId)));
          }
          for (const { text, isBinary } of messages) socket.send(text, { binary: isBinary });
          socket.ping();
          const ended = await Promise.race([closed, once(socket, "pong").then(() => null)]);
          if (ended !== null && !BLAMES.has(ended)) throw new Error(`it was closed with ${ended}`);
        } finally {
          socket.terminate();
        }
        const health = await coordinator.call("GET", "/healthz", { token: null });
        if (health.status !== 200) throw new Error(`its health is ${health.status}`);
        const unforeseen = coordinator.logged.find(({ msg }) => String(msg).includes("unforeseen"));
        if (unforeseen !== undefined) throw new Error(JSON.stringify(unforeseen).slice(0, 2_000));
      },
    ),
  };
}

/** To an agent, by whoever holds its coordinator's address. */
export const toAgent: Target = {
  name: "a coordinator may say anything: frames that fit are heard, and the first that does not ends the session",
  runs: 20,
  property: fc.asyncProperty(
    said(fc.oneof(texts(CoordinatorFrame), fitting(shapeOf(CoordinatorFrame)).map(toText))),
    async (messages) => {
      const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => SUBPROTOCOL });
      await once(server, "listening");
      server.on("connection", (socket) => {
        for (const { text, isBinary } of messages) socket.send(text, { binary: isBinary });
        socket.close(1001);
      });
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const heard: unknown[] = [];
      let ends = 0;
      const open = openWebSocket({
        addresses: createAddresses([url]),
        credential: "secret",
        network: createNetwork({ caFile: null }),
      });
      const over = Promise.withResolvers<void>();
      const ended = (fault: { code: string; message: string }) => {
        ends += 1;
        over.resolve();
        decent({ ok: false, error: fault });
      };
      const frame = (value: unknown) => void heard.push(value);
      const opened = await open({ heard: () => undefined, frame, ended }, new AbortController().signal);
      if (!opened.ok) throw new Error(opened.error.message);
      await over.promise;
      server.close();
      for (const client of server.clients) client.terminate();
      if (ends !== 1) throw new Error(`it ended ${ends} times`);
      const fits = messages.map(
        ({ text, isBinary }) => !isBinary && Value.Check(CoordinatorFrame, read(text)),
      );
      const wanted = fits.includes(false) ? fits.indexOf(false) : fits.length;
      if (heard.length !== wanted) throw new Error(`${heard.length} frames were heard, and ${wanted} fit`);
    },
  ),
};

function read(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
