import type { Build } from "../../../protocol/build.ts";
import type { Desired, Peer } from "../../../protocol/frames.ts";
import type { Step } from "../../../protocol/job.ts";
import type { QuarantineEntry } from "../../../protocol/journal.ts";
import type { JobId, SessionId } from "../../../protocol/names.ts";
import type { DurationMs, UptimeMs } from "../../../protocol/time.ts";
import type { LeaseToken } from "../../../protocol/token.ts";
import type { Journal, Placed, Swap, Verdict } from "../journal.ts";
import type { Op } from "./facts.ts";

/** A quarantine entry but for its wall-clock time, which the machine has no clock for. */
export type NewQuarantine = Omit<QuarantineEntry, "at">;

/**
 * What the machine wants done, as data. A command with an `op` is answered by exactly one event with that `op`.
 * Commands of one transition are begun in their order; a command that must follow another's *effect* is only given
 * after the answer, so that nothing is ever sent before what it rests on is durable.
 */
export type Command =
  | { readonly kind: "prepare"; readonly op: Op; readonly job: Desired }
  /** The answer does not matter any more. */
  | { readonly kind: "stop-preparing"; readonly prepare: Op }
  | {
      readonly kind: "reserve";
      readonly op: Op;
      readonly session: SessionId;
      readonly jobId: JobId;
      readonly build: Build;
    }
  | { readonly kind: "renew"; readonly op: Op; readonly session: SessionId; readonly token: LeaseToken }
  | {
      readonly kind: "commit";
      readonly op: Op;
      readonly session: SessionId;
      readonly token: LeaseToken;
      readonly needMs: DurationMs;
    }
  /** Returns a reservation. Not answered: one that is not returned expires. */
  | { readonly kind: "cancel"; readonly session: SessionId; readonly token: LeaseToken }
  | { readonly kind: "hand-over"; readonly op: Op; readonly jobId: JobId; readonly peers: readonly Peer[] }
  | { readonly kind: "drain"; readonly op: Op; readonly jobId: JobId; readonly limitMs: DurationMs }
  | { readonly kind: "resume"; readonly op: Op; readonly jobId: JobId }
  /** Answered by `journal-written` or `journal-failed`. */
  | { readonly kind: "write-journal"; readonly op: Op; readonly journal: Journal }
  | {
      readonly kind: "write-trial";
      readonly op: Op;
      readonly swap: Swap;
      readonly quarantine: NewQuarantine;
      readonly verdict: Verdict;
    }
  /** `dist.bak -> from`, then, unless it is later than `actBy`, `dist -> to`. */
  | { readonly kind: "flip"; readonly op: Op; readonly swap: Swap; readonly actBy: UptimeMs }
  /** Removes `trial/` and sets `dist.bak` to what it was: the swap did not happen. */
  | { readonly kind: "undo-swap"; readonly op: Op; readonly swap: Swap }
  | { readonly kind: "quarantine"; readonly op: Op; readonly entry: NewQuarantine }
  | { readonly kind: "lift-quarantine"; readonly op: Op; readonly build: Build }
  | { readonly kind: "leave-verdict"; readonly op: Op; readonly verdict: Verdict }
  | { readonly kind: "flip-back"; readonly op: Op; readonly swap: Swap }
  /** `dist.bak -> backup`; removes it when there was none. */
  | { readonly kind: "restore-backup"; readonly op: Op; readonly backup: Placed | null }
  /** Takes `trial/` away, in one rename. May be answered by `guard-was-faster`. */
  | { readonly kind: "remove-trial"; readonly op: Op; readonly swap: Swap; readonly confirmed: boolean }
  /** Takes a trial away that belongs to no swap. Not answered. */
  | { readonly kind: "discard-trial" }
  /** Raises the floor to `minVersion`, never lowers it. */
  | { readonly kind: "raise-floor"; readonly op: Op; readonly minVersion: string }
  /** Tells the guard that this start may take as long as it takes. Not answered. */
  | { readonly kind: "suspend-deadline" }
  /** The word is written: the verdict is not needed any more. Not answered. */
  | { readonly kind: "forget-verdict" }
  /**
   * Removes what an end that came too early left behind; and with `releases` also every release that neither
   * `dist` nor `dist.bak` names, for which a job must have come to its end. Not answered.
   */
  | { readonly kind: "collect-garbage"; readonly releases: boolean }
  /** A line of the job's log. */
  | { readonly kind: "note"; readonly jobId: JobId; readonly step: Step | null; readonly text: string }
  /** Stops the workload and ends the process. */
  | { readonly kind: "exit"; readonly code: 0 | 75 };

export type CommandKind = Command["kind"];
export type CommandOf<K extends CommandKind> = Extract<Command, { kind: K }>;
