import { type Build, sameBuild, showBuild } from "../../protocol/build.ts";
import type { JobId } from "../../protocol/names.ts";
import { err, ok, type Result } from "../../protocol/result.ts";
import type { JobRecord } from "../core/job/job.ts";
import { holdingsOf } from "../core/presence/presence.ts";
import { placeOf } from "../core/rollout/places.ts";
import { isEnded } from "../core/rollout/rollout.ts";
import { wantedBuild } from "./catch-up.ts";
import type { Context } from "./context.ts";
import type { Refusal } from "./coordinator.ts";
import { newJob } from "./new-job.ts";
import { refuse } from "./refusals.ts";
import { holdingRollout, type Situation } from "./situation.ts";

type Found = { readonly situation: Situation; readonly job: JobRecord; readonly isNew: boolean };

/**
 * The job that a node reserves for. One that nobody knows was started on the node itself: `agent rollback`, or
 * `agent update-now` to what it should be on anyway. It is made here, in the same write as the reservation.
 */
export async function startedOnNode(
  ctx: Context,
  situation: Situation,
  request: { readonly jobId: JobId; readonly build: Build },
): Promise<Result<Found, Refusal>> {
  const { node, job } = situation;
  if (job !== null) {
    if (job.value.kind === "diagnose") return refuse("not-your-turn", "A diagnosis needs no lease.");
    if (job.value.nodeId === node.value.id) return ok({ situation, job: job.value, isNew: false });
    return refuse("not-your-turn", `Job ${request.jobId} is another node's.`);
  }
  const busy = await ctx.store.activeJob(node.value.id);
  if (busy !== null) return err(inProgress(busy.value));
  const kind = await kindOf(ctx, situation, request.build);
  if (kind === null) {
    return refuse(
      "not-your-turn",
      `${node.value.name} has no job ${request.jobId}, and ${showBuild(request.build)} is neither its backup nor what it should be on.`,
    );
  }
  const rollout = await holdingRollout(ctx, node);
  const place = rollout === null ? undefined : placeOf(rollout.value, node.value.id);
  if (rollout !== null && place !== undefined && !isEnded(place)) {
    return refuse("in-rollout", `Rollout ${rollout.value.id} has ${node.value.name}.`, {
      retryAfterMs: ctx.leasePolicy.retryAfterMs,
    });
  }
  const cause = kind === "rollback" ? "operator" : "update-now";
  const fresh = newJob(ctx, node.value, { id: request.jobId, kind, cause, to: request.build, retry: true });
  return ok({
    situation: { ...situation, job: { value: fresh, revision: 0 }, rollout },
    job: fresh,
    isNew: true,
  });
}

async function kindOf(
  ctx: Context,
  { node }: Situation,
  build: Build,
): Promise<"update" | "rollback" | null> {
  const presence = ctx.live.presence(node.value.id);
  const backup = presence?.heartbeat == null ? null : holdingsOf(presence).backup;
  if (backup !== null && sameBuild(backup, build)) return "rollback";
  const wanted = await wantedBuild(ctx, node);
  return wanted !== null && sameBuild(wanted, build) ? "update" : null;
}

export const inProgress = (job: JobRecord): Refusal => ({
  code: "update-in-progress",
  message: `Job ${job.id} (${job.kind}, ${job.status}) is at work on this node.`,
  hint: "Wait for it to end.",
  context: { job: job.id, state: job.status },
});
