/** What a rollout's reconciler sees, read together: nodes, jobs, leases, gates. */
import type { Build, Platform } from "../../protocol/build.ts";
import { type NodeHoldings, UPDATE_STATES, type UpdateReport } from "../../protocol/frames.ts";
import type { Reason } from "../../protocol/job.ts";
import type { JobId, NodeId } from "../../protocol/names.ts";
import type { EpochMs } from "../../protocol/time.ts";
import { buildFor, refusesUnasked } from "../core/desired.ts";
import { isActive, type JobRecord } from "../core/job/job.ts";
import { holderOf, type LeaseRecord } from "../core/lease/record.ts";
import { holdingsOf, offlineForMs, type Presence, stateOf } from "../core/presence/presence.ts";
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
  const presence = ctx.live.presence(node.id);
  const job = record === undefined ? null : jobView(record, presence);
  return new Seen(ctx, { node, presence, world }, { jobId, lease, job });
}

const gone = (code: string, message: string): Gone => ({ kind: "gone", reason: { code, message } });

type Own = {
  readonly jobId: JobId | null;
  readonly lease: FleetNode["lease"];
  readonly job: FleetNode["job"];
};

type Told = {
  readonly node: NodeRecord;
  readonly presence: Presence | undefined;
  readonly world: World;
};

/** What is asked of a node is found out when it is asked: of thousands most only wait, and are asked for little. */
class Seen implements FleetNode {
  readonly kind = "there";
  readonly lease: FleetNode["lease"];
  readonly job: FleetNode["job"];
  readonly #jobId: JobId | null;
  readonly #ctx: Context;
  readonly #node: NodeRecord;
  readonly #world: World;
  readonly #presence: Presence | undefined;

  constructor(ctx: Context, { node, presence, world }: Told, { jobId, lease, job }: Own) {
    this.lease = lease;
    this.job = job;
    this.#jobId = jobId;
    this.#ctx = ctx;
    this.#node = node;
    this.#world = world;
    this.#presence = presence;
  }

  get presence(): FleetNode["presence"] {
    return stateOf(this.#presence, this.#ctx.timing, this.#world.now);
  }

  get connecting(): boolean {
    return this.#presence !== undefined && this.#presence.heartbeat === null;
  }

  get offlineForMs(): number | null {
    return this.presence === "offline" ? awayForMs(this.#ctx, this.#node) : null;
  }

  get #known() {
    return this.#presence?.heartbeat == null ? this.#node.known : this.#presence.hello;
  }

  get #holdings(): NodeHoldings | undefined {
    return this.#presence?.heartbeat == null ? this.#node.known?.holdings : holdingsOf(this.#presence);
  }

  get build(): Build | null {
    return this.#known?.build ?? null;
  }

  get backup(): Build | null {
    return this.#holdings?.backup ?? null;
  }

  get target(): Build | null {
    return this.#world.targetFor(this.#known?.platform ?? null);
  }

  get platformKnown(): boolean {
    return this.#known !== null;
  }

  get role(): FleetNode["role"] {
    return this.presence === "online" ? (this.#presence?.heartbeat?.health.role ?? null) : null;
  }

  get reportsRole(): boolean {
    return this.#node.known?.reportsRole ?? false;
  }

  get refuses(): Reason | null {
    const [holdings, target] = [this.#holdings, this.target];
    return holdings === undefined || target === null ? null : refusesUnasked(holdings, target);
  }

  get gate(): Reason | null {
    return this.#world.gateOf(this.#node.group);
  }

  get denied(): Reason | null {
    return this.lease === null && this.job?.prepared === true ? this.#world.denied(this.#node) : null;
  }

  get otherJob(): JobId | null {
    const active = this.#world.active.get(this.#node.id)?.value;
    return active === undefined || active.id === this.#jobId ? null : active.id;
  }
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

function jobView(job: JobRecord, presence: Presence | undefined): NonNullable<FleetNode["job"]> {
  const update = presence?.heartbeat?.update;
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
