import type { Build } from "../../../protocol/build.ts";
import type { Desired, Peer } from "../../../protocol/frames.ts";
import type { HealthReport } from "../../../protocol/health.ts";
import type { Reason } from "../../../protocol/job.ts";
import type { QuarantineEntry } from "../../../protocol/journal.ts";
import type { InstanceId, JobId, SessionId } from "../../../protocol/names.ts";
import type { DurationMs } from "../../../protocol/time.ts";
import type { Journal, Placed } from "../journal.ts";

/** Number of a request that the machine made of the shell; its answer carries the same one. */
export type Op = number;

/** What the machine knows apart from where the update stands: it outlives the states. */
export type Facts = {
  readonly self: Self;
  /** Nonce of the session that is open. */
  readonly session: SessionId | null;
  /** What the coordinator wanted when it was heard last. A turn ends with its session. */
  readonly orders: Wanted;
  /** The journal as it is on the disk, never as it is about to be. */
  readonly journal: Journal;
  /** What `dist.bak` names, if it names something complete. */
  readonly backup: Placed | null;
  readonly quarantine: readonly QuarantineEntry[];
  readonly health: HealthReport;
  /** How the last job ended in this process, while the coordinator may not have heard it. */
  readonly outcome: Outcome | null;
  /** A journal write that no state waits for, such as one that drops acknowledged words. One at a time. */
  readonly writing: Op | null;
  /** The process was told to stop. */
  readonly stopping: boolean;
  readonly lastOp: Op;
};

/** Who this process is. */
export type Self = {
  /** What this process runs, not what `dist` names. */
  readonly running: Build;
  readonly instanceId: InstanceId;
  /** What `dist` named when the process started; null when it names nothing complete, as in a development tree. */
  readonly dist: Placed | null;
};

export type Wanted = {
  readonly desired: Desired | null;
  readonly turn: Turn | null;
  readonly waiting: Reason | null;
};

export type Turn = { readonly jobId: JobId; readonly peers: readonly Peer[] };

/** How a job ended. `failed`: before the new build ever ran, so that no final word on a lease says so. */
export type Outcome = {
  readonly jobId: JobId;
  readonly build: Build | null;
  readonly reason: Reason;
  readonly result: "succeeded" | "rolled-back" | "failed";
};

/** Everything that can be configured about an update. */
export type Policy = {
  /** How long a new build may run unconfirmed, by uptime. */
  readonly probationMs: DurationMs;
  /** How long an old build that is back tries to connect before a failure to connect is nobody's fault. */
  readonly inconclusiveAfterMs: DurationMs;
  /** What the drain hook may take. */
  readonly drainMs: DurationMs;
  /** Room for the flip on top of what draining may take. */
  readonly flipMs: DurationMs;
  /** How often a job's preparation is tried before the job fails, when trying again may help. */
  readonly prepareAttempts: number;
  /** How often a drain that took too long is tried again under the same token. */
  readonly commitRounds: number;
  /** How long reports may take to show that leadership has moved. Shorter than a reservation lasts. */
  readonly leadershipSettleMs: DurationMs;
  /** First and longest wait before something is tried again; it doubles in between. */
  readonly retryMinMs: DurationMs;
  readonly retryMaxMs: DurationMs;
};

export const DEFAULT_POLICY: Policy = {
  probationMs: 90_000,
  inconclusiveAfterMs: 30_000,
  drainMs: 20_000,
  flipMs: 10_000,
  prepareAttempts: 6,
  commitRounds: 2,
  leadershipSettleMs: 20_000,
  retryMinMs: 1_000,
  retryMaxMs: 300_000,
};

/** Wait before attempt number `attempt` (1 after the first failure): doubles from the shortest to the longest. */
export const retryMs = (policy: Policy, attempt: number): DurationMs =>
  Math.min(policy.retryMaxMs, policy.retryMinMs * 2 ** Math.max(0, Math.min(attempt - 1, 30)));
