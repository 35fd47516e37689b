/** A small real coordinator for session tests: HTTP and WebSocket on loopback, to the letter of the protocol. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import {
  AgentFrame,
  AgentFrames,
  type CoordinatorFrame,
  type Diagnosis,
  type Log,
  type Orders,
  PROTOCOL,
  type Refused,
} from "../../../protocol/frames.ts";
import { parse, parseJson } from "../../../protocol/parse.ts";
import { problem } from "../plain-server.ts";

export const CREDENTIAL = "node-credential-0123456789";
export const NODE_ID = "n-0123456789ab";

export type Received = { readonly via: "websocket" | "http"; readonly frame: AgentFrame };

export type TestCoordinator = Awaited<ReturnType<typeof startCoordinator>>;

export async function startCoordinator({ heartbeatMs = 50, websocket = true, protocol = PROTOCOL } = {}) {
  const received: Received[] = [];
  const listeners = new Set<() => void>();
  const open = new Set<WebSocket>();
  const sockets = new Set<Socket>();
  let sessions = 0;
  let session = "";
  let orderSeq = 0;
  let allowUpgrade = websocket;
  const wants: Partial<Orders> = {};
  /** By default a diagnosis that has ended is not asked for any more. */
  const listening = { diagnosed: (_frame: Diagnosis): void => void delete wants.diagnose };
  const routes = new Map<string, (body: unknown) => { status: number; body: unknown; type?: string }>();

  const ordersFrame = (): Orders => {
    orderSeq += 1;
    return {
      type: "orders",
      session,
      seq: orderSeq,
      desired: null,
      turn: null,
      waiting: null,
      confirm: null,
      acknowledged: [],
      logNext: [],
      ...wants,
    };
  };
  const refuse = (code: Refused["code"]): CoordinatorFrame => ({ type: "refused", code, message: code });

  const stored = ({ jobId, lines }: Log) => {
    const index = (lines.at(-1)?.index ?? 0) + 1;
    wants.logNext = [...(wants.logNext ?? []).filter((next) => next.jobId !== jobId), { jobId, index }];
  };

  const take = (via: Received["via"], frame: AgentFrame): CoordinatorFrame[] => {
    received.push({ via, frame });
    for (const listener of listeners) listener();
    if (frame.type === "hello") {
      // As a coordinator of protocol 1 does, which knows of nothing later.
      if (protocol === 1 && frame.protocol > 1) return [refuse("protocol")];
      sessions += 1;
      orderSeq = 0;
      session = sessions.toString(16).padStart(32, "0");
      const group = "etcd";
      const welcome = { type: "welcome", session, nodeId: NODE_ID, name: "one", group, heartbeatMs } as const;
      const agreed = Math.min(protocol, frame.protocol);
      return [agreed < 2 ? welcome : { ...welcome, protocol: agreed }, ordersFrame()];
    }
    if (frame.session !== session) return [refuse("unknown-session")];
    if (frame.type === "log") stored(frame);
    if (frame.type === "diagnosis") listening.diagnosed(frame);
    return [ordersFrame()];
  };

  const server = createServer((request, response) => void answer(request, response));
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString("utf8");
    const reply = (status: number, body: unknown, type = "application/json") => {
      response.writeHead(status, { "content-type": type });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    };
    if (request.headers.authorization !== `Bearer ${CREDENTIAL}`)
      return reply(401, problem(401, "unauthorized", "No such credential."), "application/problem+json");
    const route = routes.get(`${request.method} ${request.url}`);
    if (route !== undefined) {
      const made = route(text === "" ? undefined : JSON.parse(text));
      return reply(made.status, made.body, made.type);
    }
    if (request.url !== "/v1/heartbeat") return reply(404, "no such page", "text/plain");
    const frames = parseJson(AgentFrames, text, "the body");
    if (!frames.ok) return reply(400, problem(400, "malformed", frames.error.message));
    reply(200, { frames: frames.value.frames.flatMap((frame) => take("http", frame)) });
  };
  const wss = new WebSocketServer({ noServer: true, handleProtocols: () => "baton.v1" });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("upgrade", (request, socket, head) => {
    const status = allowUpgrade
      ? request.headers.authorization === `Bearer ${CREDENTIAL}`
        ? 101
        : 401
      : 404;
    if (status !== 101 || request.url !== "/v1/session") {
      const body = JSON.stringify(problem(status, "unauthorized", "No such credential."));
      socket.end(
        `HTTP/1.1 ${status} No\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
      );
      return;
    }
    wss.handleUpgrade(request, socket, head, (socket) => {
      open.add(socket);
      socket.on("close", () => open.delete(socket));
      socket.on("message", (data) => {
        const frame = parse(AgentFrame, JSON.parse(String(data as Buffer)), "the frame");
        if (!frame.ok) return socket.close(4002, frame.error.message);
        for (const answer of take("websocket", frame.value)) socket.send(JSON.stringify(answer));
      });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    received,
    /** The whole of what it wants from now on. */
    wants,
    listening,
    routes,
    session: () => session,
    allowWebSocket: (allowed: boolean) => {
      allowUpgrade = allowed;
    },
    /** Forgets every session, as a restart would. */
    forget: () => {
      session = "";
    },
    push: (frame: unknown) => {
      for (const socket of open) socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
    },
    orders: ordersFrame,
    close: (code: number) => {
      for (const socket of open) socket.close(code);
    },
    /** Stops reading and answering on the open connections, which stay open: what a cut network looks like. */
    freeze: () => {
      for (const socket of sockets) socket.pause();
    },
    /** The first frame that fits, among those received since `from` (all by default) or to come. */
    frame: async (fits: (received: Received) => boolean, from = 0): Promise<Received> => {
      for (;;) {
        const found = received.slice(from).find(fits);
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => {
          const once = () => {
            listeners.delete(once);
            resolve();
          };
          listeners.add(once);
        });
      }
    },
    stop: async () => {
      for (const socket of open) socket.terminate();
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
