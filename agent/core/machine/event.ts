import type { Desired } from "../../../protocol/frames.ts";
import type { HealthReport } from "../../../protocol/health.ts";
import type { Reason } from "../../../protocol/job.ts";
import type { QuarantineEntry } from "../../../protocol/journal.ts";
import type { InstanceId, SessionId } from "../../../protocol/names.ts";
import type { Fault } from "../../../protocol/result.ts";
import type { DurationMs } from "../../../protocol/time.ts";
import type { LeaseToken } from "../../../protocol/token.ts";
import type { Journal } from "../journal.ts";
import type { LeaseFailure, PreparedBuild, Progress } from "../ports.ts";
import type { Op, Turn } from "./facts.ts";

/** What happens to a node, as far as the machine is concerned. Those with an `op` answer the command that had it. */
export type Event =
  /** The whole of what the coordinator wants right now. */
  | {
      readonly kind: "orders";
      readonly desired: Desired | null;
      readonly turn: Turn | null;
      readonly waiting: Reason | null;
      readonly confirm: { readonly token: LeaseToken; readonly instanceId: InstanceId } | null;
      readonly acknowledged: readonly LeaseToken[];
    }
  | { readonly kind: "session-opened"; readonly session: SessionId }
  | { readonly kind: "session-closed" }
  | { readonly kind: "health"; readonly report: HealthReport }
  /** The time that the state waits for has come. Too early does no harm. */
  | { readonly kind: "tick" }
  | { readonly kind: "stop-requested" }
  | { readonly kind: "prepare-progressed"; readonly op: Op; readonly progress: Progress }
  | { readonly kind: "prepare-done"; readonly op: Op; readonly prepared: PreparedBuild }
  | { readonly kind: "prepare-failed"; readonly op: Op; readonly fault: Fault }
  | {
      readonly kind: "reserve-granted";
      readonly op: Op;
      readonly token: LeaseToken;
      readonly ttlMs: DurationMs;
    }
  | { readonly kind: "reserve-failed"; readonly op: Op; readonly failure: LeaseFailure }
  | { readonly kind: "renew-granted"; readonly op: Op; readonly ttlMs: DurationMs }
  | { readonly kind: "renew-failed"; readonly op: Op; readonly failure: LeaseFailure }
  | { readonly kind: "commit-granted"; readonly op: Op; readonly actWithinMs: DurationMs }
  /** Refused, or nobody knows: then it may have been granted. */
  | { readonly kind: "commit-failed"; readonly op: Op; readonly failure: LeaseFailure }
  | { readonly kind: "hand-over-done"; readonly op: Op }
  | { readonly kind: "hand-over-failed"; readonly op: Op; readonly fault: Fault }
  | { readonly kind: "drain-done"; readonly op: Op }
  | { readonly kind: "drain-failed"; readonly op: Op; readonly fault: Fault }
  | { readonly kind: "resume-done"; readonly op: Op }
  | { readonly kind: "resume-failed"; readonly op: Op; readonly fault: Fault }
  | { readonly kind: "journal-written"; readonly op: Op; readonly journal: Journal }
  | { readonly kind: "journal-failed"; readonly op: Op; readonly fault: Fault }
  /** An effect on the disk other than the journal is durable. `quarantine`: what is quarantined now, if it changed. */
  | { readonly kind: "disk-done"; readonly op: Op; readonly quarantine?: readonly QuarantineEntry[] }
  /** It was not done, and what was there stands. */
  | { readonly kind: "disk-failed"; readonly op: Op; readonly fault: Fault }
  /** Act-within was over when it was looked at last, between `dist.bak` and `dist`; `dist` was not touched. */
  | { readonly kind: "flip-too-late"; readonly op: Op }
  /** `trial/` was taken away, but the guard had gone back already: `dist` names `from`. */
  | { readonly kind: "guard-was-faster"; readonly op: Op };

export type EventKind = Event["kind"];
export type EventOf<K extends EventKind> = Extract<Event, { kind: K }>;

/** Every kind of event. */
export const EVENT_KINDS = Object.keys({
  orders: 0,
  "session-opened": 0,
  "session-closed": 0,
  health: 0,
  tick: 0,
  "stop-requested": 0,
  "prepare-progressed": 0,
  "prepare-done": 0,
  "prepare-failed": 0,
  "reserve-granted": 0,
  "reserve-failed": 0,
  "renew-granted": 0,
  "renew-failed": 0,
  "commit-granted": 0,
  "commit-failed": 0,
  "hand-over-done": 0,
  "hand-over-failed": 0,
  "drain-done": 0,
  "drain-failed": 0,
  "resume-done": 0,
  "resume-failed": 0,
  "journal-written": 0,
  "journal-failed": 0,
  "disk-done": 0,
  "disk-failed": 0,
  "flip-too-late": 0,
  "guard-was-faster": 0,
} satisfies Record<EventKind, 0>) as EventKind[];
