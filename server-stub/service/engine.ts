/** Runs the reconciler of rollouts over what is stored and heard, and writes what it says in one go. */
import type { GroupName, NodeId, RolloutId } from "../../protocol/names.ts";
import { cancelJob } from "../core/job/outcome.ts";
import { placeOf } from "../core/rollout/places.ts";
import { type Reconciled, reconcile } from "../core/rollout/reconcile.ts";
import { isEnded, type RolloutRecord } from "../core/rollout/rollout.ts";
import type { Change, Stored } from "../store/records.ts";
import { attempt } from "./attempt.ts";
import { audit, COORDINATOR } from "./audit.ts";
import { type Context, newId, timeOf } from "./context.ts";
import { type FleetRead, readFleet } from "./fleet.ts";
import { isolated } from "./isolated.ts";
import { jobChanges } from "./job-changes.ts";
import { newJob } from "./new-job.ts";
import { pushGroup } from "./push.ts";
import { rollbackChanges } from "./rollback.ts";
import { endChanges } from "./rollout-end.ts";
import { rolloutNotice } from "./webhooks/rollout-notice.ts";

/** A few looks are enough for every chain of stages that have nothing to do; the tick goes on with the rest. */
const MAX_LOOKS = 5;

export type Who = { readonly actor: string; readonly from: string };

/** Brings every rollout that has nodes of the group, and is not over, to where it should be, and tells its nodes. `also`: others. */
export async function runRollouts(
  ctx: Context,
  group: GroupName,
  also: Iterable<RolloutId> = [],
): Promise<void> {
  const unfinished = (await ctx.store.unfinishedRollouts(group)).map(({ value }) => value.id);
  for (const id of new Set([...also, ...unfinished])) await runRollout(ctx, id);
}

/**
 * Also for a rollout that is over: a node that failed may turn out to have gone back by itself. Never throws: what goes
 * wrong with a rollout must not keep its nodes from being heard. The engine's tick looks again, and notices.
 */
export const runRollout = (ctx: Context, id: RolloutId): Promise<void> =>
  isolated(ctx, "rollout", { rolloutId: id }, () => lookAtRollout(ctx, id));

/** Throws what goes wrong. */
export const lookAtRollout = (ctx: Context, id: RolloutId): Promise<void> =>
  ctx.coalesce(`rollout ${id}`, () => lookRepeatedly(ctx, id));

async function lookRepeatedly(ctx: Context, id: RolloutId): Promise<void> {
  const touched = new Map<NodeId, GroupName>();
  const begun = new Set<RolloutId>();
  for (let look = 0; look < MAX_LOOKS; look += 1) {
    const done = await attempt(ctx.store, () => decide(ctx, id));
    if (done === null) break;
    for (const { nodeId, group } of done.touched) touched.set(nodeId, group);
    if (done.begun !== null) begun.add(done.begun);
    if (!done.again) break;
  }
  await pushAll(ctx, touched);
  for (const other of begun) await runRollout(ctx, other);
}

/** Groups that are told of something new without a pause. */
const GROUPS_AT_ONCE = 20;

/**
 * Thousands are told while the rollout goes on: who is heard meanwhile waits for the next look at it, and is not to be
 * taken for gone by then.
 */
export async function pushAll(ctx: Context, touched: ReadonlyMap<NodeId, GroupName>): Promise<void> {
  const groups = Map.groupBy(touched, ([, name]) => name);
  if (groups.size <= GROUPS_AT_ONCE) return pushGroups(ctx, groups);
  ctx.live
    .inTurn("groups", () => pushGroups(ctx, groups))
    .catch((error: unknown) => ctx.log.error({ err: error }, "orders could not be pushed"));
}

async function pushGroups(
  ctx: Context,
  groups: ReadonlyMap<GroupName, readonly (readonly [NodeId, GroupName])[]>,
): Promise<void> {
  let told = 0;
  for (const [group, nodes] of groups) {
    told += 1;
    // What is computed for thousands lets others be heard in between.
    if (told % GROUPS_AT_ONCE === 0) await new Promise(setImmediate);
    await pushGroup(
      ctx,
      group,
      nodes.map(([nodeId]) => nodeId),
    );
  }
}

type Done = {
  /** Nodes were told to get ready, or a stage began: there is something new to look at. */
  readonly again: boolean;
  /** Nodes whose orders may have changed. */
  readonly touched: readonly { readonly nodeId: NodeId; readonly group: GroupName }[];
  /** The rollout that takes this one back, when that has just been decided. */
  readonly begun: RolloutId | null;
};

async function decide(
  ctx: Context,
  id: RolloutId,
): Promise<{ changes: readonly Change[]; answer: Done | null }> {
  const stored = await ctx.store.rollout(id);
  if (stored === null) return { changes: [], answer: null };
  const looked = await look(ctx, stored, stored.value, COORDINATOR);
  const { rollout: after } = looked;
  if (after === stored.value) {
    return { changes: [], answer: { again: false, touched: [], begun: null } };
  }
  const back = takesItselfBack(stored.value, after) ? rollbackChanges(ctx, after, COORDINATOR) : null;
  const rollout = back?.rollout ?? after;
  const changes: Change[] = [
    ...looked.changes,
    { kind: "rollout", value: rollout, expected: stored.revision, before: stored.value },
    ...(back?.changes ?? []),
    ...statusChanges(ctx, stored.value, rollout, COORDINATOR),
    ...(await endChanges(ctx, stored.value, rollout)),
  ];
  const touched = touchedBy(stored.value, rollout);
  const again = looked.opened || rollout.stage !== stored.value.stage;
  return { changes, answer: { again, touched, begun: back?.back.id ?? null } };
}

export const touchedBy = (before: RolloutRecord, after: RolloutRecord): Done["touched"] =>
  after.nodes
    .filter((node, index) => node !== before.nodes[index])
    .map(({ nodeId, group }) => ({ nodeId, group }));

/** The policy may say that too many failures take everything back. */
const takesItselfBack = (before: RolloutRecord, after: RolloutRecord): boolean =>
  after.status === "halted" &&
  before.status !== "halted" &&
  after.reason?.code === "failures" &&
  after.kind === "update" &&
  after.policy.onFailure === "rollback" &&
  after.rolledBackBy === null;

/**
 * One look at a rollout, as it was told to be: what becomes of it, and the changes to jobs that go with that. The
 * rollout itself is the caller's to write, on the revision that was read.
 */
export async function look(
  ctx: Context,
  stored: Stored<RolloutRecord>,
  told: RolloutRecord,
  by: Who,
): Promise<{
  readonly rollout: RolloutRecord;
  readonly changes: readonly Change[];
  readonly opened: boolean;
}> {
  const read = await readFleet(ctx, told);
  const result = reconcile(told, read.fleet, surroundingsOf(ctx, told), timeOf(ctx));
  const { rollout, changes } = openJobs(ctx, result, read);
  return {
    rollout,
    changes: [...changes, ...closeJobs(ctx, result, read, by), ...withdrawn(stored.value, rollout, read)],
    opened: changes.length > 0,
  };
}

const surroundingsOf = (ctx: Context, { release }: RolloutRecord) => ({
  offlineAfterMs: 12 * ctx.timings.heartbeatMs,
  published: ctx.repository.releases().releases.some(({ version }) => version === release),
});

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
    if (!opening.has(place.nodeId) || place.to === null) return place;
    const node = read.nodes.get(place.nodeId)?.value;
    if (node === undefined) return place;
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
    if (now === undefined || isEnded(now) || now.status === "updating") return [];
    if (now.jobId !== place.jobId || job === undefined) return [];
    return [{ kind: "job", value: job.value, expected: job.revision }];
  });
}

/** What the audit log says of a rollout that came to another status. */
export function statusChanges(ctx: Context, before: RolloutRecord, after: RolloutRecord, by: Who): Change[] {
  const { status, reason } = after;
  if (status === before.status) return [];
  const said = { status, reason: reason?.message ?? null };
  return [
    audit(ctx, by, `rollout.${status}`, after.id, { status: before.status }, said),
    ...rolloutNotice(ctx, after, status),
  ];
}
