import type { JobId } from "../../protocol/names.ts";
import { ok, type Result } from "../../protocol/result.ts";
import { isActive, type JobRecord, showJob } from "../core/job/job.ts";
import { withProgress } from "../core/job/progress.ts";
import { cancelOne } from "./cancel-job.ts";
import type { Context } from "./context.ts";
import type { Jobs, Refusal } from "./coordinator.ts";
import { appendLog } from "./job-log.ts";
import { waitingReason } from "./orders.ts";
import { noJob } from "./refusals.ts";
import { retryOne } from "./retry-job.ts";

export const createJobs = (ctx: Context): Jobs => ({
  async get(id) {
    const job = await findJob(ctx, id);
    if (!job.ok) return job;
    const update = ctx.live.presence(job.value.nodeId)?.heartbeat?.update;
    const shown = showJob(withProgress(job.value, update));
    if (!isActive(job.value) || shown.reason !== null) return ok(shown);
    return ok({ ...shown, reason: await waitingReason(ctx, job.value.nodeId) });
  },

  async list(query) {
    // One more than asked for says whether there is another page.
    const found = await ctx.store.jobs({ ...query, limit: query.limit + 1 });
    const page = found.slice(0, query.limit);
    const jobs = page.map(({ value }) =>
      showJob(withProgress(value, ctx.live.presence(value.nodeId)?.heartbeat?.update)),
    );
    return { jobs, next: found.length > page.length ? (page.at(-1)?.number ?? null) : null };
  },

  cancel: (by, id) => cancelOne(ctx, by, id),
  retry: (by, id) => retryOne(ctx, by, id),

  async log(id, from, limit) {
    const job = await findJob(ctx, id);
    return job.ok ? ok(await ctx.store.log(id, from, limit)) : job;
  },

  async append(nodeId, id, lines) {
    const job = await findJob(ctx, id);
    if (!job.ok) return job;
    if (job.value.nodeId !== nodeId) return noJob(id);
    return ok(await appendLog(ctx, id, lines));
  },
});

async function findJob(ctx: Context, id: JobId): Promise<Result<JobRecord, Refusal>> {
  const job = await ctx.store.job(id);
  return job === null ? noJob(id) : ok(job.value);
}
