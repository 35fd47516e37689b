import type { AgentFrame, CoordinatorFrame } from "../../protocol/frames.ts";
import type { Fault, Result } from "../../protocol/result.ts";

/** A way that frames take to the coordinator and back; the same frames on each. */
export type Transport = {
  readonly kind: "websocket" | "http";
  /** The address it speaks to, without a path. */
  readonly server: string;
  /** Hands frames over, in this order. Nothing tells that they arrived but what comes back. */
  send(frames: readonly AgentFrame[]): void;
  /** Provokes an answer when nothing was heard for a while. */
  probe(): void;
  /** Ends it; `ended` is not called for it. */
  close(): void;
};

export type TransportEvents = {
  /** Something came, be it only a sign of life. */
  heard(): void;
  frame(frame: CoordinatorFrame): void;
  /** It is over, and nothing else will come. Called at most once. */
  ended(fault: TransportFault): void;
};

export type TransportFault = Fault<
  /** Nobody is there, or the connection broke. */
  | "unreachable"
  /** Nothing was heard for three heartbeats. */
  | "silent"
  /** Somebody is there who does not speak this way: an old proxy, another service. */
  | "not-supported"
  /** The credential is not known, revoked, or the node is not approved yet. */
  | "unauthorized"
  /** Another process of this node opened a session. */
  | "superseded"
  /** One of the two sent what the other does not understand. */
  | "malformed"
>;

export type OpenTransport = (
  events: TransportEvents,
  signal: AbortSignal,
) => Promise<Result<Transport, TransportFault>>;
