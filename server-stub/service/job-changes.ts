import { isActive, type JobRecord } from "../core/job/job.ts";
import type { Change, Stored } from "../store/records.ts";
import { audit, COORDINATOR } from "./audit.ts";
import type { Context } from "./context.ts";

type Who = { readonly actor: string; readonly from: string };

/**
 * Everything that is written when a job changes: the job, its audit entry when its status does, and the alert of
 * its node: raised by a failure, resolved by a success.
 */
export function jobChanges(
  ctx: Context,
  before: Stored<JobRecord>,
  after: JobRecord,
  who: Who = COORDINATOR,
): Change[] {
  if (after === before.value) return [];
  const changes: Change[] = [{ kind: "job", value: after, expected: before.revision }];
  if (after.status === before.value.status) return changes;
  if (!isActive(after)) {
    changes.push(audit(ctx, who, `job.${after.status}`, after.id, brief(before.value), brief(after)));
  }
  // What a diagnosis found is its answer, and says nothing of updates.
  if (after.kind === "diagnose") return changes;
  const at = ctx.wall();
  if (after.status === "failed") {
    const message = `${after.kind} to ${after.to?.version ?? "its backup"}: ${after.reason?.message ?? "failed"}`;
    changes.push({ kind: "raise", alert: "update_failed", subject: after.nodeId, message, at });
  }
  if (after.status === "succeeded") {
    const because = `Its ${after.kind} to ${after.to?.version ?? "its backup"} succeeded.`;
    changes.push({ kind: "resolve", alert: "update_failed", subject: after.nodeId, at, because });
  }
  return changes;
}

/** What the audit log says of a job. */
export const brief = (job: JobRecord) => ({
  kind: job.kind,
  node: job.nodeId,
  rollout: job.rolloutId,
  status: job.status,
  to: job.to?.version ?? null,
  reason: job.reason?.code ?? null,
});
