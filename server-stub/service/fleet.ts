import { UPDATE_STATES, type UpdateReport } from "../../protocol/frames.ts";
import type { GroupName, JobId, NodeId } from "../../protocol/names.ts";
import { buildFor, refusesUnasked } from "../core/desired.ts";
import { isActive, type JobRecord } from "../core/job/job.ts";
import { holderOf, type LeaseRecord, NO_LEASE } from "../core/lease/record.ts";
import { holdingsOf, offlineForMs, stateOf } from "../core/presence/presence.ts";
import {
  type Fleet,
  type FleetNode,
  hasBegun,
  isEnded,
  type Place,
  type RolloutRecord,
} from "../core/rollout/rollout.ts";
import type { NodeRecord, Stored } from "../store/records.ts";
import type { Context } from "./context.ts";
import { gatesAt } from "./gates.ts";

/** What a rollout's reconciler sees, and the jobs as they were read, for writing them. */
export type FleetRead = {
  readonly fleet: Fleet;
  readonly nodes: ReadonlyMap<NodeId, Stored<NodeRecord>>;
  readonly jobs: ReadonlyMap<JobId, Stored<JobRecord>>;
};

/** Beyond so many groups it is cheaper to read everything once than each group by itself. */
const GROUPS_ONE_BY_ONE = 16;

/** The nodes that the reconciler looks at: of the stages begun, those that are not done with. */
export async function readFleet(ctx: Context, rollout: RolloutRecord): Promise<FleetRead> {
  const places = rollout.nodes.filter((place) => hasBegun(rollout, place) && mayChange(place));
  const groups = [...new Set(places.map((place) => place.group))];
  const [nodes, active, busy, policy, own] = await Promise.all([
    readEach(
      groups,
      (group) => ctx.store.nodes(group),
      () => ctx.store.nodes(),
    ),
    readEach(
      groups,
      (group) => ctx.store.activeJobsOf(group),
      () => ctx.store.activeJobs(),
    ),
    ctx.store.busyLeases(),
    ctx.store.policy(),
    readEach(
      groups,
      async (group) => [await ctx.store.group(group)].filter((found) => found !== null),
      () => ctx.store.groups(),
    ),
  ]);
  const gate = gatesAt(policy.value, ctx.wall());
  const gates = new Map(own.map(({ value }) => [value.name, gate(value)]));
  const members = new Map(nodes.map((node) => [node.value.id, node]));
  const leases = new Map(busy.map(({ group, value }) => [group, value]));
  const jobs = new Map(active.map((job) => [job.value.id, job]));
  for (const { jobId } of places) {
    if (jobId === null || jobs.has(jobId)) continue;
    const ended = await ctx.store.job(jobId);
    if (ended !== null) jobs.set(jobId, ended);
  }
  const activeOf = new Map(active.map((job) => [job.value.nodeId, job.value]));
  const fleet = new Map<NodeId, FleetNode>();
  for (const place of places) {
    const node = members.get(place.nodeId)?.value;
    if (node === undefined || node.membership !== "approved") continue;
    const { jobId } = place;
    const job = jobId === null ? undefined : jobs.get(jobId)?.value;
    const other = activeOf.get(place.nodeId);
    fleet.set(place.nodeId, {
      ...nodeView(ctx, node, rollout),
      gate: gates.get(node.group) ?? null,
      lease: leaseFor(leases.get(node.group) ?? NO_LEASE, node.id, jobId),
      job: job === undefined ? null : jobView(ctx, job),
      otherJob: other === undefined || other.id === jobId ? null : other.id,
    });
  }
  return { fleet, nodes: members, jobs };
}

/** A failure may still turn out to be a rollback. */
const mayChange = (place: Place): boolean => !isEnded(place) || place.status === "failed";

async function readEach<T>(
  groups: readonly GroupName[],
  one: (group: GroupName) => Promise<readonly T[]>,
  all: () => Promise<readonly T[]>,
): Promise<readonly T[]> {
  if (groups.length > GROUPS_ONE_BY_ONE) return all();
  return (await Promise.all(groups.map(one))).flat();
}

function nodeView(
  ctx: Context,
  node: NodeRecord,
  rollout: RolloutRecord,
): Omit<FleetNode, "job" | "otherJob" | "lease" | "gate"> {
  const presence = ctx.live.presence(node.id);
  const now = ctx.now();
  const state = stateOf(presence, ctx.timing, now);
  const known = presence?.heartbeat == null ? node.known : { ...node.known, ...presence.hello };
  const holdings = presence?.heartbeat == null ? node.known?.holdings : holdingsOf(presence);
  const { releases } = ctx.repository.releases();
  const target = buildFor(releases, rollout.release, known?.platform ?? null);
  const refuses = holdings === undefined || target === null ? null : refusesUnasked(holdings, target);
  return {
    presence: state,
    offlineForMs: offlineForMs(presence, ctx.timing, now),
    connecting: presence !== undefined && presence.heartbeat === null,
    build: known?.build ?? null,
    backup: holdings?.backup ?? null,
    target,
    platformKnown: known !== null,
    role: state === "online" ? (presence?.heartbeat?.health.role ?? null) : null,
    reportsRole: node.known?.reportsRole ?? false,
    held: refuses?.code === "held",
    quarantined: refuses?.code === "quarantined",
  };
}

/** Only a lease for the rollout's own job puts its node under way; after a restore nobody knows for which it was. */
function leaseFor(lease: LeaseRecord, nodeId: NodeId, jobId: JobId | null): FleetNode["lease"] {
  const holder = holderOf(lease, nodeId);
  if (holder === undefined || jobId === null) return null;
  return holder.jobId === jobId || holder.jobId === null ? holder.phase : null;
}

function jobView(ctx: Context, job: JobRecord): NonNullable<FleetNode["job"]> {
  const update = ctx.live.presence(job.nodeId)?.heartbeat?.update;
  return {
    id: job.id,
    status: job.status,
    reason: job.reason,
    prepared: isActive(job) && update?.jobId === job.id && isPrepared(update),
  };
}

const NOT_PREPARED: readonly UpdateReport["state"][] = ["idle", "preparing"];

/** The build lies ready on the node's disk: it may be given its turn. */
export const isPrepared = (update: UpdateReport): boolean =>
  UPDATE_STATES.includes(update.state) && !NOT_PREPARED.includes(update.state);
