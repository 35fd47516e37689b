import type { UpdateReport } from "../../../protocol/frames.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import type { JobRecord } from "./job.ts";
import { fail } from "./outcome.ts";

/**
 * The job as its node reports it. Only what is worth a write changes: its status and its step; percentage and rate
 * live in memory (`withProgress`). A node that says the job has failed is believed while it holds no lease for it:
 * what happens under a lease is told by final words.
 */
export function followUpdate(
  job: JobRecord,
  update: UpdateReport,
  holdsLease: boolean,
  now: EpochMs,
): JobRecord {
  if (update.jobId !== job.id) return job;
  if (update.failed && !holdsLease) {
    return fail(job, update.reason ?? { code: "failed", message: "The node gave no reason." }, now);
  }
  if (update.state === "idle") return job;
  const step = update.step ?? job.step;
  if (job.status === "running" && step === job.step) return job;
  return { ...job, status: "running", step, startedAt: job.startedAt ?? now };
}

/** A job as people see it: with what was heard last, which is not stored. */
export function withProgress(job: JobRecord, update: UpdateReport | undefined): JobRecord {
  if (update?.jobId !== job.id || job.status !== "running") return job;
  return { ...job, percent: update.percent, bytesPerSecond: update.bytesPerSecond };
}
