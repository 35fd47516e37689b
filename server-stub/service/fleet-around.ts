import type { Reason } from "../../protocol/job.ts";
import type { GroupName, JobId, NodeId } from "../../protocol/names.ts";
import type { JobRecord } from "../core/job/job.ts";
import { type LeaseRecord, NO_LEASE } from "../core/lease/record.ts";
import { denyReserve } from "../core/lease/reserve.ts";
import type { GroupView } from "../core/lease/view.ts";
import { isActiveRollout, type Place, type RolloutRecord } from "../core/rollout/rollout.ts";
import type { GroupRecord, NodeRecord, Stored } from "../store/records.ts";
import type { Context } from "./context.ts";
import { gatesAt } from "./gates.ts";
import { memberView, openIn } from "./group-view.ts";

/** What is stored around the places of a rollout. */
export type Around = {
  readonly nodes: ReadonlyMap<NodeId, Stored<NodeRecord>>;
  readonly jobs: ReadonlyMap<JobId, Stored<JobRecord>>;
  readonly activeOf: ReadonlyMap<NodeId, JobRecord>;
  /** Of one node alone: who else holds a lease of independent nodes is nothing to it. */
  leaseOf(node: NodeRecord): LeaseRecord;
  /** Why nobody in the group may begin right now; null when somebody may. */
  gateOf(group: GroupName): Reason | null;
  /** Why the node would be refused its group's lease right now, turn and gate aside. */
  denied(node: NodeRecord): Reason | null;
};

/** Beyond so many groups it is cheaper to read everything once than each group by itself. */
const GROUPS_ONE_BY_ONE = 64;

export async function readAround(
  ctx: Context,
  rollout: RolloutRecord,
  places: readonly Place[],
): Promise<Around> {
  const names = [...new Set(places.map((place) => place.group))];
  const { store } = ctx;
  const isFew = names.length <= GROUPS_ONE_BY_ONE;
  const [nodes, active, groups, busy, policy, rollouts] = await Promise.all([
    isFew ? each(names, (name) => store.nodes(name)) : store.nodes(),
    isFew ? each(names, (name) => store.activeJobsOf(name)) : store.activeJobs(),
    isFew ? each(names, async (name) => present(await store.group(name))) : store.groups(),
    store.busyLeases(),
    store.policy(),
    store.unfinishedRollouts(),
  ]);
  const byId = new Map(nodes.map((node) => [node.value.id, node]));
  const strangers = places.filter((place) => !byId.has(place.nodeId));
  for (const { nodeId } of isFew ? strangers : []) {
    const node = await store.node(nodeId);
    if (node !== null) byId.set(nodeId, node);
  }
  const others = rollouts.map(({ value }) => value).filter(({ id }) => id !== rollout.id);
  const activeOf = new Map(active.map((job) => [job.value.nodeId, job.value]));
  const groupOf = new Map(groups.map(({ value }) => [value.name, value]));
  const gate = gatesAt(policy.value, ctx.wall());
  const leaseOf = leasesOf(busy, groupOf);
  const members = Map.groupBy(nodes, ({ value }) => value.group);
  const views = new Map<GroupName, GroupView>();
  const viewOf = (group: GroupRecord): GroupView => {
    const before = views.get(group.name);
    if (before !== undefined) return before;
    const { name, mode, spare } = group;
    const own = (members.get(name) ?? []).filter(({ value }) => value.membership !== "pending");
    const old = openIn(name, [rollout, ...others].filter(isActiveRollout));
    const view: GroupView = {
      mode,
      spare,
      acceptOutage: rollout.acceptOutage,
      gate: null,
      members: own.map(({ value }) => memberView(ctx, value, old.has(value.id) || activeOf.has(value.id))),
    };
    views.set(name, view);
    return view;
  };
  return {
    nodes: byId,
    jobs: await jobsOf(ctx, places, active),
    activeOf,
    leaseOf,
    gateOf: (name) => {
      const group = groupOf.get(name);
      return group === undefined ? null : gate(group);
    },
    denied: (node) => {
      const group = groupOf.get(node.group);
      if (group === undefined) return null;
      const lease = leaseOf(node);
      if (group.mode === "independent" && lease === NO_LEASE) return null;
      const view = group.mode === "independent" ? alone(ctx, node, group) : viewOf(group);
      const asker = { nodeId: node.id, jobId: "", from: null, to: null, newest: null, noTurn: null };
      const denied = denyReserve(lease, { policy: ctx.leasePolicy, group: view, asker }, ctx.now());
      return denied === null ? null : { code: denied.code, message: denied.message };
    },
  };
}

const alone = (ctx: Context, node: NodeRecord, { mode, spare }: GroupRecord): GroupView => ({
  mode,
  spare,
  acceptOutage: false,
  gate: null,
  members: [memberView(ctx, node, true)],
});

/** Of groups of independent nodes, which may hold hundreds at once, each node's own part. */
function leasesOf(
  busy: readonly (Stored<LeaseRecord> & { readonly group: GroupName })[],
  groups: ReadonlyMap<GroupName, GroupRecord>,
): (node: NodeRecord) => LeaseRecord {
  const whole = new Map<GroupName, LeaseRecord>();
  const own = new Map<NodeId, LeaseRecord>();
  for (const { group, value } of busy) {
    if (groups.get(group)?.mode !== "independent") {
      whole.set(group, value);
      continue;
    }
    const { lastToken } = value;
    for (const [nodeId, holders] of Map.groupBy(value.holders, (holder) => holder.nodeId)) {
      own.set(nodeId, { lastToken, holders, broken: [] });
    }
    for (const [nodeId, broken] of Map.groupBy(value.broken, (each) => each.nodeId)) {
      own.set(nodeId, { lastToken, holders: own.get(nodeId)?.holders ?? [], broken });
    }
  }
  return (node) => own.get(node.id) ?? whole.get(node.group) ?? NO_LEASE;
}

/** The active ones, and of those that have ended the ones that the places are about. */
async function jobsOf(
  ctx: Context,
  places: readonly Place[],
  active: readonly Stored<JobRecord>[],
): Promise<ReadonlyMap<JobId, Stored<JobRecord>>> {
  const jobs = new Map(active.map((job) => [job.value.id, job]));
  for (const { jobId } of places) {
    if (jobId === null || jobs.has(jobId)) continue;
    const ended = await ctx.store.job(jobId);
    if (ended !== null) jobs.set(jobId, ended);
  }
  return jobs;
}

const each = async <K, T>(
  keys: readonly K[],
  read: (key: K) => Promise<readonly T[]>,
): Promise<readonly T[]> => (await Promise.all(keys.map(read))).flat();

const present = <T>(value: T | null): readonly T[] => (value === null ? [] : [value]);
