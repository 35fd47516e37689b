/** Runs the reconciler of rollouts over what is stored and heard, and writes what it says in one go. */
import type { GroupName, NodeId, RolloutId } from "../../protocol/names.ts";
import { cancelJob } from "../core/job/outcome.ts";
import { type Action, act } from "../core/rollout/actions.ts";
import { type Reconciled, reconcile } from "../core/rollout/reconcile.ts";
import { isEnded, placeOf, type RolloutRecord } from "../core/rollout/rollout.ts";
import type { Change, Stored } from "../store/records.ts";
import { attempt } from "./attempt.ts";
import { audit, COORDINATOR } from "./audit.ts";
import { type Context, newId, rolloutLimits } from "./context.ts";
import { type FleetRead, readFleet } from "./fleet.ts";
import { jobChanges } from "./job-changes.ts";
import { newJob } from "./new-job.ts";
import { pushGroup } from "./push.ts";
import { rollbackChanges } from "./rollback.ts";
import { endChanges } from "./rollout-end.ts";
import { rolloutNotice } from "./webhooks/rollout-notice.ts";

/** Opening a job makes its node ready for the next look; a few looks are enough for every chain of that kind. */
const MAX_LOOKS = 5;

export type Who = { readonly actor: string; readonly from: string };

/** Brings every rollout that has nodes of the group, and is not over, to where it should be, and tells its nodes. */
export async function runRollouts(ctx: Context, group: GroupName): Promise<void> {
  for (const { value } of await ctx.store.unfinishedRollouts(group)) await runRollout(ctx, value.id);
}

/** Also for a rollout that is over: a node that failed may turn out to have gone back by itself. */
export const runRollout = (ctx: Context, id: RolloutId): Promise<void> =>
  ctx.coalesce(`rollout ${id}`, () => lookRepeatedly(ctx, id));

async function lookRepeatedly(ctx: Context, id: RolloutId): Promise<void> {
  const touched = new Map<NodeId, GroupName>();
  for (let look = 0; look < MAX_LOOKS; look += 1) {
    const done = await attempt(ctx.store, () => decide(ctx, id, null, COORDINATOR));
    if (done === null) break;
    for (const { nodeId, group } of done.touched) touched.set(nodeId, group);
    if (!done.changed) break;
  }
  await pushAll(ctx, touched);
}

/** What an operator said: written at once, and what follows from it. Repeating it changes nothing. */
export async function tellRollout(ctx: Context, id: RolloutId, action: Action, by: Who): Promise<void> {
  const done = await attempt(ctx.store, () => decide(ctx, id, action, by));
  if (done !== null) await pushAll(ctx, new Map(done.touched.map(({ nodeId, group }) => [nodeId, group])));
  await runRollout(ctx, id);
}

async function pushAll(ctx: Context, touched: ReadonlyMap<NodeId, GroupName>): Promise<void> {
  const groups = new Map<GroupName, NodeId[]>();
  for (const [nodeId, group] of touched) groups.set(group, [...(groups.get(group) ?? []), nodeId]);
  for (const [group, nodeIds] of groups) await pushGroup(ctx, group, nodeIds);
}

type Done = {
  readonly changed: boolean;
  /** Nodes whose orders may have changed. */
  readonly touched: readonly { readonly nodeId: NodeId; readonly group: GroupName }[];
};

async function decide(
  ctx: Context,
  id: RolloutId,
  action: Action | null,
  by: Who,
): Promise<{ changes: readonly Change[]; answer: Done | null }> {
  const stored = await ctx.store.rollout(id);
  if (stored === null) return { changes: [], answer: null };
  // Who is begun anew is looked at as well.
  const read = await readFleet(ctx, action === null ? stored.value : act(stored.value, action));
  const result = reconcile(stored.value, read.fleet, rolloutLimits(ctx), ctx.wall(), action);
  const { rollout: opened, changes: jobs } = openJobs(ctx, result, read);
  if (opened === stored.value) return { changes: [], answer: { changed: false, touched: [] } };
  const back = await rollbackOnHalt(ctx, stored.value, opened);
  const rollout = back?.rollout ?? opened;
  const changes: Change[] = [
    ...jobs,
    ...closeJobs(ctx, result, read, by),
    ...withdrawn(stored.value, rollout, read),
    { kind: "rollout", value: rollout, expected: stored.revision, before: stored.value },
    ...(back?.changes ?? []),
    ...statusChanges(ctx, stored, rollout, action, by),
    ...(await endChanges(ctx, stored.value, rollout)),
  ];
  const touched = rollout.nodes
    .filter((node, index) => node !== stored.value.nodes[index])
    .map(({ nodeId, group }) => ({ nodeId, group }));
  return { changes, answer: { changed: true, touched } };
}

/** The policy may say that too many failures take everything back. */
async function rollbackOnHalt(ctx: Context, before: RolloutRecord, after: RolloutRecord) {
  const halts = after.status === "halted" && before.status !== "halted";
  const wants =
    after.kind === "update" && after.policy.onFailure === "rollback" && after.rolledBackBy === null;
  return halts && wants && after.reason?.code === "failures"
    ? rollbackChanges(ctx, after, COORDINATOR)
    : null;
}

/** Writes the new jobs' ids into the rollout, and the jobs beside it. */
function openJobs(
  ctx: Context,
  { rollout, open }: Reconciled,
  read: FleetRead,
): { rollout: RolloutRecord; changes: Change[] } {
  if (open.length === 0) return { rollout, changes: [] };
  const changes: Change[] = [];
  const opening = new Set(open);
  const nodes = rollout.nodes.map((place) => {
    const node = read.nodes.get(place.nodeId)?.value;
    if (!opening.has(place.nodeId) || isEnded(place) || node === undefined || place.to === null) return place;
    const job = newJob(ctx, node, {
      id: newId(ctx.random, "j"),
      kind: rollout.kind,
      cause: "rollout",
      to: place.to,
      rolloutId: rollout.id,
      retry: place.retry,
      acceptOutage: rollout.acceptOutage,
    });
    changes.push({ kind: "job", value: job, expected: 0 });
    return { ...place, jobId: job.id };
  });
  return { rollout: { ...rollout, nodes }, changes };
}

function closeJobs(ctx: Context, { close }: Reconciled, read: FleetRead, by: Who): Change[] {
  return close.flatMap(({ jobId, reason }) => {
    const job = read.jobs.get(jobId);
    return job === undefined ? [] : jobChanges(ctx, job, cancelJob(job.value, reason, ctx.wall()), by);
  });
}

/**
 * A turn that is taken back before it was used: the job is written as it is, so that a reservation which was decided
 * while the node still had its turn comes to nothing, or else this does.
 */
function withdrawn(before: RolloutRecord, after: RolloutRecord, read: FleetRead): Change[] {
  return before.nodes.flatMap((place): Change[] => {
    if (place.status !== "updating" || place.jobId === null) return [];
    const now = placeOf(after, place.nodeId);
    const job = read.jobs.get(place.jobId);
    if (now?.status !== "preparing" || now.jobId !== place.jobId || job === undefined) return [];
    return [{ kind: "job", value: job.value, expected: job.revision }];
  });
}

function statusChanges(
  ctx: Context,
  stored: Stored<RolloutRecord>,
  rollout: RolloutRecord,
  action: Action | null,
  by: Who,
): Change[] {
  const { status, reason } = rollout;
  const retried = action?.name === "retry";
  if (status === stored.value.status && !retried) return [];
  const before = { status: stored.value.status };
  const said = retried ? "retried" : status;
  return [
    audit(ctx, by, `rollout.${said}`, rollout.id, before, { status, reason: reason?.message ?? null }),
    ...rolloutNotice(ctx, rollout, said),
  ];
}
