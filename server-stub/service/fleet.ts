/** What a rollout's reconciler sees, read together: nodes, jobs, leases, gates. */
import type { Build, Platform } from "../../protocol/build.ts";
import { UPDATE_STATES, type UpdateReport } from "../../protocol/frames.ts";
import type { JobId, NodeId } from "../../protocol/names.ts";
import type { EpochMs } from "../../protocol/time.ts";
import { buildFor, refusesUnasked } from "../core/desired.ts";
import { isActive, type JobRecord } from "../core/job/job.ts";
import { holderOf, type LeaseRecord } from "../core/lease/record.ts";
import { holdingsOf, offlineForMs, stateOf } from "../core/presence/presence.ts";
import {
  type Fleet,
  type FleetNode,
  type Gone,
  isLookedAt,
  type Place,
  type RolloutRecord,
} from "../core/rollout/rollout.ts";
import type { NodeRecord, Stored } from "../store/records.ts";
import type { Context } from "./context.ts";
import { type Around, readAround } from "./fleet-around.ts";

/** What the reconciler is told, and the nodes and jobs as they were read, for writing them. */
export type FleetRead = {
  readonly fleet: Fleet;
  readonly nodes: ReadonlyMap<NodeId, Stored<NodeRecord>>;
  readonly jobs: ReadonlyMap<JobId, Stored<JobRecord>>;
};

/** Nodes of the stages begun that are not done with; and those that failed, since they may yet have gone back. */
export async function readFleet(ctx: Context, rollout: RolloutRecord): Promise<FleetRead> {
  const places = rollout.nodes.filter((place) => isLookedAt(rollout, place) || mayYetHaveGoneBack(place));
  const around = await readAround(ctx, rollout, places);
  const world = { ...around, targetFor: targetsOf(ctx, rollout), now: ctx.now() };
  const fleet = new Map<NodeId, FleetNode | Gone>();
  for (const place of places) fleet.set(place.nodeId, seen(ctx, place, world));
  return { fleet, nodes: around.nodes, jobs: around.jobs };
}

const mayYetHaveGoneBack = (place: Place): boolean => place.status === "failed";

type World = Around & {
  readonly targetFor: (platform: Platform | null) => Build | null;
  readonly now: EpochMs;
};

/** The release's build for a platform; thousands of nodes share one. */
function targetsOf(ctx: Context, { release }: RolloutRecord): World["targetFor"] {
  const { releases } = ctx.repository.releases();
  const targets = new Map<Platform | null, Build | null>();
  return (platform) => {
    const known = targets.get(platform);
    if (known !== undefined) return known;
    const target = buildFor(releases, release, platform);
    targets.set(platform, target);
    return target;
  };
}

function seen(ctx: Context, place: Place, world: World): FleetNode | Gone {
  const node = world.nodes.get(place.nodeId)?.value;
  if (node === undefined) return gone("removed", "The node was removed.");
  const { jobId } = place;
  const lease = leaseFor(world.leaseOf(node), node.id, jobId);
  const record = jobId === null ? undefined : world.jobs.get(jobId)?.value;
  // Under way it is waited for, and what it came to is told, whatever became of it since.
  if (lease === null && (record === undefined || isActive(record))) {
    if (node.membership === "revoked") return gone("node-revoked", `${node.name}'s credential was revoked.`);
    if (node.group !== place.group) {
      return gone("moved", `It is in group ${node.group} now, and not in ${place.group} any more.`);
    }
  }
  const active = world.active.get(place.nodeId)?.value;
  const job = record === undefined ? null : jobView(ctx, record);
  return {
    kind: "there",
    ...nodeView(ctx, node, world),
    gate: world.gateOf(node.group),
    // Asked of few: of thousands that are ready most only wait until others are done.
    get denied() {
      return lease === null && job?.prepared === true ? world.denied(node) : null;
    },
    lease,
    job,
    otherJob: active === undefined || active.id === jobId ? null : active.id,
  };
}

const gone = (code: string, message: string): Gone => ({ kind: "gone", reason: { code, message } });

function nodeView(
  ctx: Context,
  node: NodeRecord,
  { targetFor, now }: World,
): Omit<FleetNode, "kind" | "gate" | "denied" | "lease" | "job" | "otherJob"> {
  const presence = ctx.live.presence(node.id);
  const state = stateOf(presence, ctx.timing, now);
  const known = presence?.heartbeat == null ? node.known : presence.hello;
  const holdings = presence?.heartbeat == null ? node.known?.holdings : holdingsOf(presence);
  const target = targetFor(known?.platform ?? null);
  return {
    presence: state,
    connecting: presence !== undefined && presence.heartbeat === null,
    offlineForMs: state === "offline" ? awayForMs(ctx, node) : null,
    build: known?.build ?? null,
    backup: holdings?.backup ?? null,
    target,
    platformKnown: known !== null,
    role: state === "online" ? (presence?.heartbeat?.health.role ?? null) : null,
    reportsRole: node.known?.reportsRole ?? false,
    refuses: holdings === undefined || target === null ? null : refusesUnasked(holdings, target),
  };
}

/**
 * Nobody has been away for longer than it is a member, nor since before it opened the session in which it is to be heard;
 * and whoever has said something that waits here to be taken is not away.
 */
function awayForMs(ctx: Context, { id, createdAt }: NodeRecord): number | null {
  const { presence, waiting } = ctx.live.get(id);
  if (waiting > 0) return null;
  const awayMs = offlineForMs(presence, ctx.timing, ctx.now());
  if (awayMs === null) return null;
  const connectingMs = presence?.heardAtMs === null ? ctx.now() - presence.openedAtMs : awayMs;
  return Math.min(awayMs, connectingMs, Math.max(0, ctx.wall() - createdAt));
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
