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
import type { Roster } from "./roster.ts";

/** What is stored around the places of a rollout. */
export type Around = {
  readonly nodes: Roster["nodes"];
  readonly jobs: ReadonlyMap<JobId, Stored<JobRecord>>;
  /** By node, whatever they are for. */
  readonly active: Roster["jobs"];
  /** Of one node alone: who else holds a lease of independent nodes is nothing to it. */
  leaseOf(node: NodeRecord): LeaseRecord;
  /** Why nobody in the group may begin right now; null when somebody may. */
  gateOf(group: GroupName): Reason | null;
  /** Why the node would be refused its group's lease right now, turn and gate aside. */
  denied(node: NodeRecord): Reason | null;
};

export async function readAround(
  ctx: Context,
  rollout: RolloutRecord,
  places: readonly Place[],
): Promise<Around> {
  const [roster, busy, policy, rollouts] = await Promise.all([
    ctx.roster(),
    ctx.store.busyLeases(),
    ctx.store.policy(),
    ctx.store.unfinishedRollouts(),
  ]);
  const others = rollouts.map(({ value }) => value).filter(({ id }) => id !== rollout.id);
  const gate = gatesAt(policy.value, ctx.wall());
  const leaseOf = leasesOf(busy, roster.groups);
  const views = new Map<GroupName, GroupView>();
  const viewOf = (group: GroupRecord): GroupView => {
    const before = views.get(group.name);
    if (before !== undefined) return before;
    const { name, mode, spare } = group;
    const own = membersOf(roster.nodes, name).filter(({ value }) => value.membership !== "pending");
    const old = openIn(name, [rollout, ...others].filter(isActiveRollout));
    const view: GroupView = {
      mode,
      spare,
      acceptOutage: rollout.acceptOutage,
      gate: null,
      members: own.map(({ value }) => memberView(ctx, value, old.has(value.id) || roster.jobs.has(value.id))),
    };
    views.set(name, view);
    return view;
  };
  return {
    nodes: roster.nodes,
    active: roster.jobs,
    jobs: await jobsOf(ctx, places, roster.jobs),
    leaseOf,
    gateOf: (name) => {
      const group = roster.groups.get(name);
      return group === undefined ? null : gate(group.value);
    },
    denied: (node) => {
      const group = roster.groups.get(node.group)?.value;
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

/** The nodes of a group; of one roster they are sorted once. */
function membersOf(nodes: Roster["nodes"], group: GroupName): readonly Stored<NodeRecord>[] {
  let groups = sorted.get(nodes);
  if (groups === undefined) {
    groups = Map.groupBy(nodes.values(), ({ value }) => value.group);
    sorted.set(nodes, groups);
  }
  return groups.get(group) ?? [];
}

const sorted = new WeakMap<Roster["nodes"], ReadonlyMap<GroupName, readonly Stored<NodeRecord>[]>>();

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
  groups: Roster["groups"],
): (node: NodeRecord) => LeaseRecord {
  const whole = new Map<GroupName, LeaseRecord>();
  const own = new Map<NodeId, LeaseRecord>();
  for (const { group, value } of busy) {
    if (groups.get(group)?.value.mode !== "independent") {
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

/** Of the places: the active ones, and those that have ended. */
async function jobsOf(
  ctx: Context,
  places: readonly Place[],
  active: Roster["jobs"],
): Promise<ReadonlyMap<JobId, Stored<JobRecord>>> {
  const jobs = new Map<JobId, Stored<JobRecord>>();
  const ended: JobId[] = [];
  for (const { nodeId, jobId } of places) {
    const job = active.get(nodeId);
    if (job !== undefined) jobs.set(job.value.id, job);
    if (jobId !== null && job?.value.id !== jobId) ended.push(jobId);
  }
  for (const job of ended.length === 0 ? [] : await ctx.store.jobsById(ended)) jobs.set(job.value.id, job);
  return jobs;
}
