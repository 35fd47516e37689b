/** Whether a node may ask for the lease for a job, rollouts and holdings considered. Pure. */

import type { Reason } from "../../protocol/job.ts";
import { DENIALS, type Denial } from "../../protocol/lease.ts";
import type { DurationMs } from "../../protocol/time.ts";
import { refusesUnasked } from "../core/desired.ts";
import { isActive, type JobRecord } from "../core/job/job.ts";
import type { Denied } from "../core/lease/view.ts";
import { placeOf } from "../core/rollout/places.ts";
import { isEnded, type RolloutRecord } from "../core/rollout/rollout.ts";
import type { NodeRecord } from "../store/records.ts";

/** Null when it may. `rollout` is the job's own; a job that has none was begun while no rollout had the node. */
export function noTurn(
  node: NodeRecord,
  job: JobRecord | null,
  rollout: RolloutRecord | null,
  retryAfterMs: DurationMs,
): Denied | null {
  const deny = (code: Denied["code"], message: string): Denied => ({ code, message, retryAfterMs });
  if (node.membership !== "approved") {
    return deny("node-not-approved", `${node.name} waits for an operator's approval.`);
  }
  if (job === null || !isActive(job)) {
    return deny("not-your-turn", `${node.name} has no such job, or it has ended.`);
  }
  const found = rollout === null ? undefined : placeOf(rollout, node.id);
  const place = found === undefined || isEnded(found) ? undefined : found;
  if (job.rolloutId !== null && place?.status !== "updating") {
    return deny(...rolloutDenial(rollout, place?.reason ?? null));
  }
  if (job.kind !== "update" || job.retry || job.to === null || node.known === null) return null;
  const refuses = refusesUnasked(node.known.holdings, job.to);
  return refuses === null ? null : deny(refuses.code === "held" ? "held" : "quarantined", refuses.message);
}

function rolloutDenial(rollout: RolloutRecord | null, reason: Reason | null): [Denial, string] {
  if (rollout === null) return ["not-your-turn", "Its rollout is gone."];
  if (rollout.status === "halted" || rollout.status === "paused") {
    return [rollout.status, rollout.reason?.message ?? `Rollout ${rollout.id} is ${rollout.status}.`];
  }
  if (reason === null) return ["not-your-turn", `Rollout ${rollout.id} has not given it its turn yet.`];
  const code = DENIALS.find((denial) => denial === reason.code) ?? "not-your-turn";
  return [code, reason.message];
}
