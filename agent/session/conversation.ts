/**
 * What one session of an agent has heard and said, without sockets. Pure.
 *
 * Invariants:
 * - Nothing but `hello` is sent before `welcome`.
 * - `seq` of what is sent only rises within a session, whichever kind of frame it is.
 * - What protocol 1 does not know is said only in a session that was welcomed with a later one.
 * - Orders of another session, or not newer than the newest heard, are ignored.
 */
import {
  type CoordinatorFrame,
  type Diagnosis,
  type Heartbeat,
  type Hello,
  type Log,
  OLDEST_PROTOCOL,
  type Orders,
  PROTOCOL,
  type Refused,
  type Welcome,
} from "../../protocol/frames.ts";
import type { LogLine } from "../../protocol/job.ts";
import type { JobId, SessionId } from "../../protocol/names.ts";
import { protocolOfWelcome } from "../../protocol/negotiate.ts";

/** What the agent says of itself when it says hello. */
export type HelloParts = Omit<Hello, "type" | "protocol">;
/** What the agent says of itself in every heartbeat. */
export type HeartbeatParts = Omit<Heartbeat, "type" | "session" | "seq">;
/** How a diagnosis ended. */
export type DiagnosisParts = Omit<Diagnosis, "type" | "session" | "seq">;

export type Conversation =
  /** Hello is out, of this protocol; nothing else may be said. */
  | { readonly kind: "greeting"; readonly protocol: number }
  /** Welcomed. `seq` was used last; `heard` is the highest `seq` of orders. */
  | {
      readonly kind: "open";
      readonly protocol: number;
      readonly session: SessionId;
      readonly seq: number;
      readonly heard: number;
      readonly heartbeatMs: number;
    };

/** What a frame of the coordinator means for the shell. */
export type Heard =
  | { readonly kind: "opened"; readonly welcome: Welcome }
  | { readonly kind: "orders"; readonly orders: Orders }
  /** The coordinator does not know the session (it restarted, or a newer hello ended it), or not this protocol yet. */
  | { readonly kind: "hello-again"; readonly refused: Refused }
  | { readonly kind: "refused"; readonly refused: Refused }
  | { readonly kind: "ignored"; readonly why: string };

export const greeting: Conversation = { kind: "greeting", protocol: PROTOCOL };

export const helloFrame = ({ protocol }: Conversation, parts: HelloParts): Hello => ({
  type: "hello",
  protocol,
  ...parts,
});

/** Takes in one frame of the coordinator. */
export function hear(
  conversation: Conversation,
  frame: CoordinatorFrame,
): { readonly conversation: Conversation; readonly heard: Heard } {
  switch (frame.type) {
    case "welcome":
      // The numbers of what was said since would begin anew, and none of it be heard.
      if (conversation.kind === "open" && frame.session === conversation.session)
        return ignored(conversation, "this session is open already");
      return {
        conversation: {
          kind: "open",
          protocol: protocolOfWelcome(frame),
          session: frame.session,
          seq: 0,
          heard: 0,
          heartbeatMs: frame.heartbeatMs,
        },
        heard: { kind: "opened", welcome: frame },
      };
    case "orders":
      return hearOrders(conversation, frame);
    case "refused":
      // An older coordinator refuses what it does not speak: it is greeted in its own protocol.
      if (
        frame.code === "protocol" &&
        conversation.kind === "greeting" &&
        conversation.protocol > OLDEST_PROTOCOL
      )
        return {
          conversation: { kind: "greeting", protocol: conversation.protocol - 1 },
          heard: { kind: "hello-again", refused: frame },
        };
      if (frame.code !== "unknown-session")
        return { conversation, heard: { kind: "refused", refused: frame } };
      // While greeting, this answers a frame of the session before: the welcome is on its way.
      if (conversation.kind === "greeting") return ignored(conversation, "it is of the session before");
      return { conversation: greeting, heard: { kind: "hello-again", refused: frame } };
  }
}

function hearOrders(conversation: Conversation, orders: Orders) {
  if (conversation.kind !== "open") return ignored(conversation, "no session is open");
  if (orders.session !== conversation.session) return ignored(conversation, "they are of another session");
  if (orders.seq <= conversation.heard) return ignored(conversation, "newer orders were heard");
  return {
    conversation: { ...conversation, heard: orders.seq },
    heard: { kind: "orders", orders } as const,
  };
}

const ignored = (conversation: Conversation, why: string) =>
  ({ conversation, heard: { kind: "ignored", why } }) as const;

type Open = Extract<Conversation, { kind: "open" }>;

/** The next heartbeat, and the conversation after it. */
export function sayHeartbeat(conversation: Open, parts: HeartbeatParts): { next: Open; frame: Heartbeat } {
  const next = { ...conversation, seq: conversation.seq + 1 };
  const { crashes, ...first } = parts;
  const said = crashes === undefined || next.protocol < 2 ? first : parts;
  return { next, frame: { type: "heartbeat", session: next.session, seq: next.seq, ...said } };
}

/** How a diagnosis ended, and the conversation after it. Only in a session of protocol 2. */
export function sayDiagnosis(conversation: Open, parts: DiagnosisParts): { next: Open; frame: Diagnosis } {
  const next = { ...conversation, seq: conversation.seq + 1 };
  return { next, frame: { type: "diagnosis", session: next.session, seq: next.seq, ...parts } };
}

/** A frame of log lines, and the conversation after it. */
export function sayLog(
  conversation: Open,
  jobId: JobId,
  lines: readonly LogLine[],
): { next: Open; frame: Log } {
  const next = { ...conversation, seq: conversation.seq + 1 };
  return { next, frame: { type: "log", session: next.session, seq: next.seq, jobId, lines: [...lines] } };
}

/**
 * What of a heartbeat cannot wait for the next one when it changes: a final word, a step of an update, the
 * journal, a flip of health. Progress alone can.
 */
export const urgentPart = ({ health, journal, finalWords, update, holdings }: HeartbeatParts): string =>
  JSON.stringify([
    health.healthy,
    health.caughtUp ?? null,
    health.role ?? null,
    journal,
    finalWords.map(({ token, word }) => [token, word]),
    [update.state, update.jobId, update.step, update.failed, update.reason?.code ?? null],
    [holdings.hold, holdings.backup?.buildHash ?? null, holdings.quarantine.map((q) => q.build.buildHash)],
  ]);
