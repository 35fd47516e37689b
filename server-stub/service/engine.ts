/** Runs the reconciler of rollouts over what is stored and heard, and writes what it says in one go. */
import type { GroupName, NodeId, RolloutId } from "../../protocol/names.ts";
import { cancelJob } from "../core/job/outcome.ts";
import { cancelRollout, type Reconciled, reconcile } from "../core/rollout/reconcile.ts";
import type { RolloutRecord } from "../core/rollout/rollout.ts";
import type { Change, Stored } from "../store/records.ts";
import { attempt } from "./attempt.ts";
import { audit, COORDINATOR } from "./audit.ts";
import { type Context, newId, rolloutPolicy } from "./context.ts";
import { type FleetRead, readFleet } from "./fleet.ts";
import { jobChanges } from "./job-changes.ts";
import { newJob } from "./new-job.ts";
import { pushGroup } from "./push.ts";
import { endChanges } from "./rollout-end.ts";

/** Opening a job makes its node ready for the next look; a few looks are enough for every chain of that kind. */
const MAX_LOOKS = 5;

/** Brings every rollout of the group that is not over to where it should be, and tells its nodes. */
export async function runRollouts(ctx: Context, group: GroupName): Promise<void> {
  for (const { value } of await ctx.store.unfinishedRollouts(group)) await runRollout(ctx, value.id);
}

/** Also for a rollout that is over: a node that failed may turn out to have gone back by itself. */
export async function runRollout(ctx: Context, id: RolloutId): Promise<void> {
  let touched: readonly NodeId[] = [];
  let group: GroupName | null = null;
  for (let look = 0; look < MAX_LOOKS; look += 1) {
    const done = await attempt(ctx.store, () => decide(ctx, id, (...args) => reconcile(...args)));
    if (done === null) break;
    touched = [...touched, ...done.touched];
    group = done.rollout.group;
    if (!done.changed) break;
  }
  if (group !== null && touched.length > 0) await pushGroup(ctx, group, touched);
}

/** Ends a rollout early: who holds a lease finishes, nobody else is touched. */
export async function stopRollout(
  ctx: Context,
  id: RolloutId,
  by: { readonly actor: string; readonly from: string },
): Promise<void> {
  const done = await attempt(ctx.store, () =>
    decide(ctx, id, (stored, fleet, _policy, now) => cancelRollout(stored, fleet, by.actor, now), by),
  );
  if (done !== null) await pushGroup(ctx, done.rollout.group, done.touched);
}

type Done = {
  readonly rollout: RolloutRecord;
  readonly changed: boolean;
  /** Nodes whose orders may have changed. */
  readonly touched: readonly NodeId[];
};

async function decide(
  ctx: Context,
  id: RolloutId,
  step: (...args: Parameters<typeof reconcile>) => Reconciled,
  by = COORDINATOR as { readonly actor: string; readonly from: string },
): Promise<{ changes: readonly Change[]; answer: Done | null }> {
  const stored = await ctx.store.rollout(id);
  const lease = stored === null ? null : await ctx.store.lease(stored.value.group);
  if (stored === null || lease === null) return { changes: [], answer: null };
  const read = await readFleet(ctx, stored.value, lease.value);
  const now = ctx.wall();
  const result = step(stored.value, read.fleet, rolloutPolicy(ctx, stored.value), now);
  const { rollout, changes: opened } = openJobs(ctx, result, read);
  if (rollout === stored.value) {
    return { changes: [], answer: { rollout, changed: false, touched: [] } };
  }
  const changes: Change[] = [
    // A lease that changes meanwhile would change who is under way, and so the decision.
    { kind: "same-lease", group: rollout.group, expected: lease.revision },
    ...opened,
    ...closeJobs(ctx, result, read, by),
    { kind: "rollout", value: rollout, expected: stored.revision },
    ...statusChanges(ctx, stored, rollout, by),
    ...(await endChanges(ctx, stored.value, rollout, read)),
  ];
  const touched = rollout.nodes
    .filter((node, index) => node !== stored.value.nodes[index])
    .map((node) => node.nodeId);
  return { changes, answer: { rollout, changed: true, touched } };
}

/** Writes the new jobs' ids into the rollout, and the jobs beside it. */
function openJobs(
  ctx: Context,
  { rollout, open }: Reconciled,
  read: FleetRead,
): { rollout: RolloutRecord; changes: Change[] } {
  if (open.length === 0) return { rollout, changes: [] };
  const changes: Change[] = [];
  const nodes = rollout.nodes.map((place) => {
    const node = read.nodes.get(place.nodeId)?.value;
    if (!open.includes(place.nodeId) || node === undefined || place.to === null) return place;
    const job = newJob(ctx, node, {
      id: newId(ctx.random, "j"),
      kind: "update",
      cause: "rollout",
      to: place.to,
      rolloutId: rollout.id,
      retry: rollout.retry,
      acceptOutage: rollout.acceptOutage,
    });
    changes.push({ kind: "job", value: job, expected: 0 });
    return { ...place, jobId: job.id };
  });
  return { rollout: { ...rollout, nodes }, changes };
}

function closeJobs(
  ctx: Context,
  { close }: Reconciled,
  read: FleetRead,
  by: { readonly actor: string; readonly from: string },
): Change[] {
  return close.flatMap(({ jobId, reason }) => {
    const job = read.jobs.get(jobId);
    return job === undefined ? [] : jobChanges(ctx, job, cancelJob(job.value, reason, ctx.wall()), by);
  });
}

function statusChanges(
  ctx: Context,
  stored: Stored<RolloutRecord>,
  rollout: RolloutRecord,
  by: { readonly actor: string; readonly from: string },
): Change[] {
  const { status, reason } = rollout;
  if (status === stored.value.status) return [];
  const before = { status: stored.value.status };
  return [
    audit(ctx, by, `rollout.${status}`, rollout.id, before, { status, reason: reason?.message ?? null }),
  ];
}
