import { randomUUID } from "node:crypto";
import { once } from "node:events";
import WebSocket from "ws";
import type { CoordinatorFrame, Heartbeat, Hello } from "../../../protocol/frames.ts";
import { SUBPROTOCOL } from "../../../protocol/frames.ts";
import { IDLE_UPDATE } from "../../harness/idle-update.ts";
import type { TestCoordinator } from "./coordinator.ts";

export type TestNode = { readonly nodeId: string; readonly name: string; readonly credential: string };

/** Joins a node to a group, which is made when it is not there yet. */
export async function joinNode(
  coordinator: Pick<TestCoordinator, "call">,
  { group = "web", name, autoApprove = true }: { group?: string; name: string; autoApprove?: boolean },
): Promise<TestNode> {
  await coordinator.call("POST", "/v1/groups", { body: { name: group } });
  const token = await coordinator.call("POST", "/v1/join-tokens", { body: { group, autoApprove } });
  const joined = await coordinator.call("POST", "/v1/join", {
    token: null,
    body: { token: token.body.secret, name },
  });
  if (joined.status !== 201) throw new Error(JSON.stringify(joined.body));
  return { nodeId: String(joined.body.nodeId), name, credential: String(joined.body.credential) };
}

export const BUILD = { version: "1.0.0", buildHash: "a".repeat(64) };

export const helloOf = (instanceId: string = randomUUID()): Hello => ({
  type: "hello",
  protocol: 1,
  instanceId,
  build: BUILD,
  platform: "linux-x64",
  runtime: "26.10.0",
  canHandOver: false,
  journal: { kind: "idle" },
  finalWords: [],
  holdings: { backup: null, hold: false, quarantine: [] },
});

export const heartbeatOf = (session: string, seq: number, instanceId: string): Heartbeat => ({
  type: "heartbeat",
  session,
  seq,
  instanceId,
  health: { healthy: true },
  journal: { kind: "idle" },
  finalWords: [],
  update: IDLE_UPDATE,
  holdings: { backup: null, hold: false, quarantine: [] },
});

export type TestSocket = {
  readonly socket: WebSocket;
  send(frame: unknown): void;
  /** The next frame that has not been taken yet. */
  next(): Promise<CoordinatorFrame>;
  readonly closed: Promise<{ code: number; reason: string }>;
};

/** An open WebSocket of a node. Rejects when the upgrade is refused. */
export async function openSocket(
  coordinator: Pick<TestCoordinator, "url">,
  credential: string,
): Promise<TestSocket> {
  const socket = new WebSocket(`${coordinator.url.replace("http", "ws")}/v1/session`, SUBPROTOCOL, {
    headers: { authorization: `Bearer ${credential}` },
  });
  const frames: CoordinatorFrame[] = [];
  const takers: ((frame: CoordinatorFrame) => void)[] = [];
  socket.on("message", (data: Buffer) => {
    const frame = JSON.parse(data.toString()) as CoordinatorFrame;
    const taker = takers.shift();
    if (taker === undefined) frames.push(frame);
    else taker(frame);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on("close", (code, reason: Buffer) => resolve({ code, reason: reason.toString() }));
  });
  await once(socket, "open");
  return {
    socket,
    send: (frame) => socket.send(typeof frame === "string" ? frame : JSON.stringify(frame)),
    next: () => {
      const frame = frames.shift();
      return frame === undefined ? new Promise((resolve) => takers.push(resolve)) : Promise.resolve(frame);
    },
    closed,
  };
}

/** Says hello and answers the welcome's nonce. */
export async function greet(socket: TestSocket, instanceId: string): Promise<string> {
  socket.send(helloOf(instanceId));
  const welcome = await socket.next();
  if (welcome.type !== "welcome") throw new Error(JSON.stringify(welcome));
  return welcome.session;
}
