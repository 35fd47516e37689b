import type { Job, Reason } from "../../protocol/job.ts";
import type { JobId } from "../../protocol/names.ts";
import { ok, type Result } from "../../protocol/result.ts";
import { isActive, type JobRecord, showJob } from "../core/job/job.ts";
import { cancelJob, JOB_CANCELLED } from "../core/job/outcome.ts";
import { type Holder, holderOf, withoutHolder } from "../core/lease/record.ts";
import type { Change, Stored } from "../store/records.ts";
import { attempt, type Decision } from "./attempt.ts";
import { actorOf, audit } from "./audit.ts";
import type { Context } from "./context.ts";
import type { Principal, Refusal } from "./coordinator.ts";
import { runRollout, runRollouts } from "./engine.ts";
import { jobChanges } from "./job-changes.ts";
import { push, pushGroup } from "./push.ts";
import { noJob, refuse } from "./refusals.ts";

type Decided = Result<{ readonly job: JobRecord; readonly changed: boolean }, Refusal>;

/**
 * Ends a job that has not gone so far that only its node can end it: in flight it finishes, or goes back. A reservation
 * that it has is dropped in the same write. Cancelling what is cancelled changes nothing.
 * Refusals: `not-found`, `wrong-state` (it has ended otherwise, or is in flight).
 */
export async function cancelOne(ctx: Context, by: Principal, id: JobId): Promise<Result<Job, Refusal>> {
  const done = await attempt<Decided>(ctx.store, () => decide(ctx, by, id));
  if (!done.ok) return done;
  const { job, changed } = done.value;
  if (changed) {
    if (job.rolloutId !== null) await runRollout(ctx, job.rolloutId);
    await runRollouts(ctx, job.group);
    push(ctx, job.nodeId);
    await pushGroup(ctx, job.group);
  }
  return ok(showJob(job));
}

async function decide(ctx: Context, by: Principal, id: JobId): Promise<Decision<Decided>> {
  const job = await ctx.store.job(id);
  if (job === null) return { changes: [], answer: noJob(id) };
  if (job.value.status === "cancelled") {
    return { changes: [], answer: ok({ job: job.value, changed: false }) };
  }
  if (!isActive(job.value)) {
    const { status } = job.value;
    return {
      changes: [],
      answer: refuse("wrong-state", `Job ${id} has ${status} and cannot be cancelled.`, {
        context: { state: status },
      }),
    };
  }
  const reason = { code: JOB_CANCELLED, message: `Cancelled by ${actorOf(by).actor}.` };
  return job.value.kind === "diagnose" ? cancelled(ctx, by, job, reason, []) : leased(ctx, by, job, reason);
}

/** What the lease says decides: nobody may commit between that it is read and that the job is cancelled. */
async function leased(
  ctx: Context,
  by: Principal,
  job: Stored<JobRecord>,
  reason: Reason,
): Promise<Decision<Decided>> {
  const { id, nodeId, group } = job.value;
  const lease = await ctx.store.lease(group);
  if (lease === null) throw new Error(`job ${id} is in a group that does not exist`);
  const holder = holderOf(lease.value, nodeId);
  const held = holder !== undefined && (holder.jobId === id || holder.jobId === null) ? holder : null;
  if (held?.phase === "in-flight") return { changes: [], answer: pastCancelling(job.value, held) };
  if (held === null) {
    return cancelled(ctx, by, job, reason, [{ kind: "same-lease", group, expected: lease.revision }]);
  }
  const value = withoutHolder(lease.value, held.token);
  const before = { token: held.token, nodeId, phase: held.phase };
  return cancelled(ctx, by, job, reason, [
    { kind: "lease", group, value, expected: lease.revision },
    audit(ctx, actorOf(by), "lease.cancelled", group, before, null),
  ]);
}

function cancelled(
  ctx: Context,
  by: Principal,
  job: Stored<JobRecord>,
  reason: Reason,
  also: readonly Change[],
): Decision<Decided> {
  const after = cancelJob(job.value, reason, ctx.wall());
  const changes = [...also, ...jobChanges(ctx, job, after, actorOf(by))];
  return { changes, answer: ok({ job: after, changed: true }) };
}

const pastCancelling = (job: JobRecord, { token }: Holder): Result<never, Refusal> =>
  refuse(
    "wrong-state",
    `Job ${job.id} is in flight under token ${token}, past the point where it can be cancelled: it finishes, or goes back by itself.`,
    {
      hint: "Wait for its end; to undo a finished update, roll the node back.",
      context: { state: "in-flight", token },
    },
  );
