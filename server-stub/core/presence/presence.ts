/**
 * What is known of one node through its newest session. Kept in memory only: a coordinator that restarts has ended
 * all sessions and knows nobody.
 *
 * Invariants:
 * - A hello replaces the session before it at once, and proves nothing until a later message carries its nonce.
 * - Only messages of the newest session count, in the order of their numbers; a number never counts twice.
 * - Presence ages by the coordinator's steady clock; the node's own clock is never asked.
 */
import type { Diagnosis, Heartbeat, Hello, Log, NodeHoldings } from "../../../protocol/frames.ts";
import { OLDEST_PROTOCOL } from "../../../protocol/frames.ts";
import type { FinalWord, JournalReport } from "../../../protocol/journal.ts";
import type { SessionId } from "../../../protocol/names.ts";
import { agreedProtocol } from "../../../protocol/negotiate.ts";
import type { PresenceState } from "../../../protocol/node.ts";
import type { DurationMs, EpochMs } from "../../../protocol/time.ts";

export type Presence = {
  readonly session: SessionId;
  readonly hello: Hello;
  readonly openedAtMs: EpochMs;
  /** Number of the last message that counted; 0 until the nonce was echoed. */
  readonly seq: number;
  /** Healthy heartbeats in a row since this session's hello, with those that came between two regular ones. */
  readonly healthyBeats: number;
  /** When the first of them was heard. */
  readonly healthySinceMs: EpochMs | null;
  /** When a message last counted; null until the nonce was echoed. */
  readonly heardAtMs: EpochMs | null;
  readonly heartbeat: Heartbeat | null;
  readonly heartbeatAtMs: EpochMs | null;
  /** When the session before this one was heard last: a node that reconnects has not been away. */
  readonly heardBeforeMs: EpochMs | null;
};

export type Timing = {
  readonly heartbeatMs: DurationMs;
  readonly offlineAfterMissed: number;
  /** When this coordinator began to listen. */
  readonly startedAtMs: EpochMs;
};

/** A message that does not count, and why. */
export type NotCounted = "unknown-session" | "stale-seq";

/** A hello opens a session under a nonce that was never used before. */
export const open = (
  hello: Hello,
  session: SessionId,
  before: Presence | undefined,
  now: EpochMs,
): Presence => ({
  session,
  hello,
  openedAtMs: now,
  seq: 0,
  healthyBeats: 0,
  healthySinceMs: null,
  heardAtMs: null,
  heartbeat: null,
  heartbeatAtMs: null,
  heardBeforeMs: lastHeardMs(before),
});

/** When anything of the node counted last, in this session or one before. */
export const lastHeardMs = (presence: Presence | undefined): EpochMs | null =>
  presence?.heardAtMs ?? presence?.heardBeforeMs ?? null;

/** Takes a message of a session. A heartbeat under another process's id than the hello's does not count either. */
export function hear(
  presence: Presence | undefined,
  frame: Heartbeat | Log | Diagnosis,
  now: EpochMs,
):
  | { readonly presence: Presence; readonly counted: true }
  | { readonly counted: false; readonly why: NotCounted } {
  if (presence === undefined || frame.session !== presence.session) {
    return { counted: false, why: "unknown-session" };
  }
  if (frame.type === "heartbeat" && frame.instanceId !== presence.hello.instanceId) {
    return { counted: false, why: "unknown-session" };
  }
  if (frame.seq <= presence.seq) return { counted: false, why: "stale-seq" };
  const heard = { ...presence, seq: frame.seq, heardAtMs: now };
  if (frame.type === "heartbeat") {
    const healthy = healthyAgain(presence, frame, frame.seq, now);
    return { counted: true, presence: { ...heard, ...healthy, heartbeat: frame, heartbeatAtMs: now } };
  }
  return { counted: true, presence: frame.seq === presence.seq + 1 ? heard : { ...heard, ...NOT_IN_A_ROW } };
}

/**
 * Takes a heartbeat that says under another number what one before it in this session said, which is the heartbeat that
 * stays: what is kept for seconds, ten thousand times, is let go of late. Null when it does not count.
 */
export function hearAgain(
  presence: Presence | undefined,
  said: Heartbeat,
  seq: number,
  now: EpochMs,
): Presence | null {
  if (presence === undefined || presence.heartbeat === null || said.session !== presence.session) return null;
  if (said.instanceId !== presence.hello.instanceId || seq <= presence.seq) return null;
  return { ...presence, ...healthyAgain(presence, said, seq, now), seq, heardAtMs: now, heartbeatAtMs: now };
}

/** The healthy heartbeats in a row with this one. What was said in between and never heard may have been that it is unhealthy. */
function healthyAgain(
  { seq: before, healthyBeats, healthySinceMs }: Presence,
  { health: { healthy } }: Heartbeat,
  seq: number,
  now: EpochMs,
): Pick<Presence, "healthyBeats" | "healthySinceMs"> {
  if (!healthy) return NOT_IN_A_ROW;
  const inARow = seq === before + 1;
  return {
    healthyBeats: inARow ? healthyBeats + 1 : 1,
    healthySinceMs: (inARow ? healthySinceMs : null) ?? now,
  };
}

const NOT_IN_A_ROW = { healthyBeats: 0, healthySinceMs: null };

/** A heartbeat may come so much of an interval early, against the first one, and still be the next. */
const EARLY = 0.25;

/**
 * For how many heartbeats in a row the node has been healthy. An agent also says what cannot wait between two
 * heartbeats, so that frames alone say nothing about time: there are never more beats than intervals have passed.
 */
export function beatsOf(presence: Presence, { heartbeatMs }: Pick<Timing, "heartbeatMs">): number {
  const { healthyBeats, healthySinceMs, heartbeatAtMs } = presence;
  if (healthySinceMs === null || heartbeatAtMs === null) return 0;
  const intervals = Math.floor((heartbeatAtMs - healthySinceMs) / heartbeatMs + EARLY);
  return Math.min(healthyBeats, 1 + intervals);
}

/** `unknown` for three intervals after the coordinator's start, where `offline` would be a guess. */
export function stateOf(presence: Presence | undefined, timing: Timing, now: EpochMs): PresenceState {
  const graceMs = timing.heartbeatMs * timing.offlineAfterMissed;
  const heardAtMs = lastHeardMs(presence);
  if (heardAtMs !== null && now - heardAtMs <= graceMs) return "online";
  return heardAtMs === null && now - timing.startedAtMs <= graceMs ? "unknown" : "offline";
}

/** For how long the node has been offline; null while it is not. */
export function offlineForMs(
  presence: Presence | undefined,
  timing: Timing,
  now: EpochMs,
): DurationMs | null {
  if (stateOf(presence, timing, now) !== "offline") return null;
  const graceMs = timing.heartbeatMs * timing.offlineAfterMissed;
  return now - (lastHeardMs(presence) ?? timing.startedAtMs) - graceMs;
}

/** Why the node does not serve, in a few words; null when it does. A broken or in-flight lease is the lease's affair. */
export function ailment(presence: Presence | undefined, timing: Timing, now: EpochMs): string | null {
  const state = stateOf(presence, timing, now);
  if (state === "unknown") return "has not been heard since the coordinator started";
  if (state === "offline") return "is offline";
  if (presence?.heartbeat == null || presence.heartbeatAtMs === null) return "has just connected";
  if (now - presence.heartbeatAtMs > 2 * timing.heartbeatMs) return "missed two heartbeats";
  const { healthy, caughtUp } = presence.heartbeat.health;
  if (!healthy) return "is unhealthy";
  return caughtUp === false ? "is not caught up" : null;
}

/** The journal as proof knows it: what the newest echoed session said last. */
export const journalOf = (presence: Presence | undefined): JournalReport | null =>
  presence?.heartbeat?.journal ?? null;

export const wordsOf = (presence: Presence | undefined): readonly FinalWord[] =>
  presence?.heartbeat?.finalWords ?? [];

export const holdingsOf = (presence: Presence): NodeHoldings =>
  presence.heartbeat?.holdings ?? presence.hello.holdings;

/** The protocol of the newest session; the oldest while there is none. */
export const protocolOf = (presence: Presence | undefined): number =>
  (presence === undefined ? null : agreedProtocol(presence.hello.protocol)) ?? OLDEST_PROTOCOL;

/** The session and process that may ask for leases: none before the nonce was echoed. */
export const newestOf = (presence: Presence | undefined) =>
  presence === undefined || presence.heardAtMs === null
    ? null
    : { session: presence.session, instanceId: presence.hello.instanceId };
