import type { Job } from "../../protocol/job.ts";
import type { JobId } from "../../protocol/names.ts";
import { ok, type Result } from "../../protocol/result.ts";
import { showJob } from "../core/job/job.ts";
import type { Context } from "./context.ts";
import type { Principal, Refusal } from "./coordinator.ts";
import { push } from "./push.ts";
import { noJob, refuse } from "./refusals.ts";
import { startJob } from "./start-job.ts";

/**
 * Begins a job that failed or was cancelled anew: another job, of the same kind and to the same release, which lifts a
 * hold and a quarantine. Repeating it while that one is at work answers that one.
 * Refusals: `not-found`, `wrong-state`, and those of starting a job.
 */
export async function retryOne(ctx: Context, by: Principal, id: JobId): Promise<Result<Job, Refusal>> {
  const job = await ctx.store.job(id);
  if (job === null) return noJob(id);
  const { nodeId, kind, status, release } = job.value;
  if (status !== "failed" && status !== "cancelled") {
    return refuse("wrong-state", `Job ${id} has not failed: it is ${status}.`, {
      context: { state: status },
    });
  }
  const { store } = ctx;
  const active = await (kind === "diagnose" ? store.activeDiagnosis(nodeId) : store.activeJob(nodeId));
  if (active?.value.retryOf === id) return ok(showJob(active.value));
  const started = await startJob(ctx, by, nodeId, kind, {
    retry: true,
    retryOf: id,
    ...(kind === "update" && release !== null ? { release } : {}),
  });
  if (started.ok) push(ctx, nodeId);
  return started;
}
