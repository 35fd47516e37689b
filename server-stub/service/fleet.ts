/** What a rollout's reconciler sees, read together: nodes, jobs, leases, gates. */
import { UPDATE_STATES, type UpdateReport } from "../../protocol/frames.ts";
import type { JobId, NodeId } from "../../protocol/names.ts";
import type { Release } from "../../protocol/release.ts";
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
  const { releases } = ctx.repository.releases();
  const fleet = new Map<NodeId, FleetNode | Gone>();
  for (const place of places) {
    fleet.set(place.nodeId, seen(ctx, rollout, place, around, releases));
  }
  return { fleet, nodes: around.nodes, jobs: around.jobs };
}

const mayYetHaveGoneBack = (place: Place): boolean => place.status === "failed";

function seen(
  ctx: Context,
  rollout: RolloutRecord,
  place: Place,
  around: Around,
  releases: readonly Release[],
): FleetNode | Gone {
  const node = around.nodes.get(place.nodeId)?.value;
  if (node === undefined) return gone("removed", "The node was removed.");
  const { jobId } = place;
  const job = jobId === null ? undefined : around.jobs.get(jobId)?.value;
  const lease = leaseFor(around.leaseOf(node), node.id, jobId);
  if (lease === null) {
    if (node.membership === "revoked") return gone("node-revoked", `${node.name}'s credential was revoked.`);
    if (node.group !== place.group) {
      return gone("moved", `It is in group ${node.group} now, and not in ${place.group} any more.`);
    }
  }
  const other = around.activeOf.get(place.nodeId);
  const view = nodeView(ctx, node, rollout, releases);
  const jobSeen = job === undefined ? null : jobView(ctx, job);
  const isReady = view.presence === "online" && jobSeen?.prepared === true && lease === null;
  return {
    kind: "there",
    ...view,
    gate: around.gateOf(node.group),
    denied: isReady ? around.denied(node) : null,
    lease,
    job: jobSeen,
    otherJob: other === undefined || other.id === jobId ? null : other.id,
  };
}

const gone = (code: string, message: string): Gone => ({ kind: "gone", reason: { code, message } });

function nodeView(
  ctx: Context,
  node: NodeRecord,
  rollout: RolloutRecord,
  releases: readonly Release[],
): Pick<
  FleetNode,
  "presence" | "offlineForMs" | "build" | "backup" | "target" | "platformKnown" | "role" | "refuses"
> {
  const presence = ctx.live.presence(node.id);
  const now = ctx.now();
  const state = stateOf(presence, ctx.timing, now);
  const known = presence?.heartbeat == null ? node.known : presence.hello;
  const holdings = presence?.heartbeat == null ? node.known?.holdings : holdingsOf(presence);
  const target = buildFor(releases, rollout.release, known?.platform ?? null);
  return {
    presence: state,
    offlineForMs: offlineForMs(presence, ctx.timing, now),
    build: known?.build ?? null,
    backup: holdings?.backup ?? null,
    target,
    platformKnown: known !== null,
    role: state === "online" ? (presence?.heartbeat?.health.role ?? null) : null,
    refuses: holdings === undefined || target === null ? null : refusesUnasked(holdings, target),
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
