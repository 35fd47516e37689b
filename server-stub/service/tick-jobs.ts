import type { Reason } from "../../protocol/job.ts";
import type { JobId } from "../../protocol/names.ts";
import type { EpochMs } from "../../protocol/time.ts";
import { isActive, type JobRecord } from "../core/job/job.ts";
import { fail } from "../core/job/outcome.ts";
import { progressOf } from "../core/job/stuck.ts";
import { holderOf } from "../core/lease/record.ts";
import type { Change } from "../store/records.ts";
import { attempt, type Decision } from "./attempt.ts";
import type { Context } from "./context.ts";
import { runRollout } from "./engine.ts";
import { isolated } from "./isolated.ts";
import { jobChanges } from "./job-changes.ts";
import { push } from "./push.ts";

/**
 * Fails jobs that nobody works on: queued or being prepared, and without any progress for too long. One that waits for
 * its turn is ready, and is left alone; one that holds a lease has rules of its own.
 * How far each had come is known only to this process, on a clock that only rises: a restart begins to count anew.
 */
export function createJobWatch(ctx: Context): () => Promise<void> {
  let watched: ReadonlyMap<JobId, Watched> = new Map();
  return async () => {
    const jobs = [...(await ctx.store.activeJobs()), ...(await ctx.store.activeDiagnoses())];
    const now = ctx.now();
    const seen = jobs.map(({ value }) => [value.id, watch(ctx, value, watched.get(value.id), now)] as const);
    watched = new Map(seen);
    for (const [id, { sinceMs }] of seen) {
      if (now - sinceMs < ctx.timings.jobTimeoutMs) continue;
      await isolated(ctx, "job", { jobId: id }, () => timeOut(ctx, id));
    }
  };
}

/** How far a job has come, and since when. */
type Watched = { readonly progress: string | null; readonly sinceMs: EpochMs };

function watch(ctx: Context, job: JobRecord, before: Watched | undefined, now: EpochMs): Watched {
  const progress = progressOf(job, ctx.live.presence(job.nodeId)?.heartbeat?.update ?? null);
  return progress !== null && before?.progress === progress ? before : { progress, sinceMs: now };
}

async function timeOut(ctx: Context, id: JobId): Promise<void> {
  const failed = await attempt(ctx.store, () => decide(ctx, id));
  if (failed === null) return;
  const { rolloutId, nodeId, step } = failed;
  ctx.log.warn({ jobId: id, rolloutId, nodeId, step }, "job timed out");
  if (failed.rolloutId !== null) await runRollout(ctx, failed.rolloutId);
  push(ctx, failed.nodeId);
}

async function decide(ctx: Context, id: JobId): Promise<Decision<JobRecord | null>> {
  const nothing = { changes: [], answer: null };
  const job = await ctx.store.job(id);
  if (job === null || !isActive(job.value)) return nothing;
  const { group, nodeId, kind } = job.value;
  const changes: Change[] = [];
  if (kind !== "diagnose") {
    const lease = await ctx.store.lease(group);
    if (lease === null || holderOf(lease.value, nodeId) !== undefined) return nothing;
    changes.push({ kind: "same-lease", group, expected: lease.revision });
  }
  const after = fail(job.value, timedOut(job.value, ctx.timings.jobTimeoutMs), ctx.wall());
  return { changes: [...changes, ...jobChanges(ctx, job, after)], answer: after };
}

const timedOut = ({ status, step }: JobRecord, afterMs: number): Reason => ({
  code: "timed-out",
  message: `The node made no progress for ${Math.round(afterMs / 1000)} s (${step === null ? status : `step ${step}`}).`,
});
