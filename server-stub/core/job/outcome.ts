import type { Build } from "../../../protocol/build.ts";
import { sameBuild, showBuild } from "../../../protocol/build.ts";
import type { Reason } from "../../../protocol/job.ts";
import type { Denial } from "../../../protocol/lease.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import type { Proof } from "../lease/settle.ts";
import { isActive, type JobRecord } from "./job.ts";

/** After that many returns without an answer a job is failed, so that nothing goes round for ever. */
export const MAX_RETURNS = 5;

/** What a returned lease means for its job. A job that has ended keeps its end, but a rollback's verdict is told. */
export function afterProof(
  job: JobRecord,
  proof: Proof,
  verdict: Reason | null,
  runs: Build,
  now: EpochMs,
): JobRecord {
  if (!isActive(job)) {
    const learned = job.status === "failed" && proof === "rolled-back";
    return learned ? { ...job, step: "rollback", reason: rolledBack(verdict) } : job;
  }
  switch (proof) {
    case "confirmed":
      return succeed(job, now);
    case "rolled-back":
      return { ...fail(job, rolledBack(verdict), now), step: "rollback" };
    case "inconclusive":
      return again(
        job,
        "inconclusive",
        "The new build could not be judged: the coordinator was away",
        verdict,
        now,
      );
    case "not-acted":
      return again(job, "not-acted", "The node gave the lease back before it flipped anything", verdict, now);
    case "back":
      return fail(job, cameBack(job.to, runs), now);
    case "idle":
      return job.to !== null && sameBuild(job.to, runs)
        ? succeed(job, now)
        : fail(job, cameBack(job.to, runs), now);
  }
}

export const succeed = (job: JobRecord, now: EpochMs): JobRecord => ({
  ...job,
  status: "succeeded",
  step: "complete",
  percent: 100,
  bytesPerSecond: null,
  reason: null,
  confirming: null,
  startedAt: job.startedAt ?? now,
  endedAt: now,
});

export const fail = (job: JobRecord, reason: Reason, now: EpochMs): JobRecord => ({
  ...job,
  status: "failed",
  reason,
  bytesPerSecond: null,
  confirming: null,
  endedAt: now,
});

/** Why a job was cancelled that a person, or its node, ended: it is not begun again unasked. */
export const JOB_CANCELLED = "job-cancelled";

export const cancelJob = (job: JobRecord, reason: Reason, now: EpochMs): JobRecord => ({
  ...fail(job, reason, now),
  status: "cancelled",
  step: "cancelled",
});

/** Refusals of a commit that say nothing of the node or the build: a gate has closed, or leadership has moved. */
const WAITS: readonly string[] = [
  "outside-window",
  "paused",
  "leader-last",
  "leader-unknown",
] satisfies Denial[];

/** A reservation came to nothing without harm: the job waits for its turn again, a limited number of times. */
function again(job: JobRecord, code: string, what: string, verdict: Reason | null, now: EpochMs): JobRecord {
  const message = verdict === null ? `${what}.` : `${what}: ${verdict.message}`;
  // What is waited for may come between reserve and commit as often as it likes.
  const returns = verdict !== null && WAITS.includes(verdict.code) ? job.returns : job.returns + 1;
  if (returns >= MAX_RETURNS) {
    return fail(job, { code, message: `${message} (${returns} times, so it is not tried again.)` }, now);
  }
  return { ...job, returns, confirming: null, status: "queued", reason: { code, message } };
}

const rolledBack = (verdict: Reason | null): Reason => ({
  code: "rolled-back",
  message: `The node went back to its old build: ${verdict?.message ?? "it gave no reason."}`,
});

const cameBack = (expected: Build | null, runs: Build): Reason => ({
  code: "reconnected-on-other-build",
  message: `The node reconnected at ${showBuild(runs)}, expected ${expected === null ? "another" : showBuild(expected)}.`,
});
