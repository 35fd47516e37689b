/**
 * What the agent's machine needs from outside, as functions: the seams at which its effects are put together in
 * `main.ts`, and at which a simulation takes their place.
 */
import type { Build, VersionJson } from "../../protocol/build.ts";
import type { Desired, Orders, Peer } from "../../protocol/frames.ts";
import type { HealthReport } from "../../protocol/health.ts";
import type { LogLine, Step } from "../../protocol/job.ts";
import type {
  CommitReply,
  CommitRequest,
  RenewReply,
  RenewRequest,
  ReserveReply,
  ReserveRequest,
} from "../../protocol/lease.ts";
import type { JobId } from "../../protocol/names.ts";
import type { Fault, Result } from "../../protocol/result.ts";
import type { DurationMs } from "../../protocol/time.ts";

/** A lease call that came to nothing: `refused` by the coordinator (it answered), or `unreachable` (nobody knows). */
export type LeaseFailure = Fault & {
  readonly kind: "refused" | "unreachable";
  readonly retryAfterMs?: DurationMs;
};

/** The lease API. Each call is one request, not retried inside; safe to repeat. */
export type LeaseClient = {
  reserve(request: ReserveRequest): Promise<Result<ReserveReply, LeaseFailure>>;
  renew(request: RenewRequest): Promise<Result<RenewReply, LeaseFailure>>;
  commit(request: CommitRequest): Promise<Result<CommitReply, LeaseFailure>>;
  cancel(request: RenewRequest): Promise<Result<void, LeaseFailure>>;
};

/** Progress of a long step. */
export type Progress = {
  readonly step: Step;
  readonly percent: number;
  readonly bytesPerSecond: number | null;
};

/** Fetches, verifies, unpacks and self-tests a build until it lies complete under `releases/`; touches nothing that runs. */
export type Preparer = {
  prepare(
    desired: Desired,
    options: { signal: AbortSignal; progress(progress: Progress): void; line(text: string): void },
  ): Promise<Result<PreparedBuild, Fault>>;
};

export type PreparedBuild = {
  readonly build: Build;
  readonly versionJson: VersionJson;
  /** The signed `minVersion` of its release: the floor once it is confirmed. */
  readonly minVersion: string | null;
};

/** The workload that runs beside or inside the agent. */
export type WorkloadControl = {
  readonly canHandOver: boolean;
  /** What draining may take, for the commit's `needMs`. */
  readonly drainMs: DurationMs;
  /** Asks the health hook once. Never throws: a hook that fails is an unhealthy report. */
  health(): Promise<HealthReport>;
  /** Gives leadership away while still serving. */
  handover(peers: readonly Peer[], line: (text: string) => void): Promise<Result<void, Fault>>;
  /** Stops serving, within `limitMs`. */
  drain(limitMs: DurationMs, line: (text: string) => void): Promise<Result<void, Fault>>;
  /** Undoes `handover` and `drain`. */
  resume(line: (text: string) => void): Promise<Result<void, Fault>>;
  start(): Promise<Result<void, Fault>>;
  stop(): Promise<void>;
};

/** The durable log of a job, which `agent logs` shows and which is sent to the coordinator. */
export type JobLog = {
  append(jobId: JobId, line: Omit<LogLine, "index">): void;
};

/** What the session hands in. */
export type SessionEvents = {
  opened(session: string): void;
  closed(): void;
  orders(orders: Orders): void;
};
