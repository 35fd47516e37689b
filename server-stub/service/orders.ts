import { sameBuild } from "../../protocol/build.ts";
import type { Desired, Orders, Peer } from "../../protocol/frames.ts";
import type { Reason } from "../../protocol/job.ts";
import type { JobId, NodeId } from "../../protocol/names.ts";
import { isActive, type JobRecord } from "../core/job/job.ts";
import { holderOf } from "../core/lease/record.ts";
import { denyReserve } from "../core/lease/reserve.ts";
import type { GroupView } from "../core/lease/view.ts";
import { stateOf, wordsOf } from "../core/presence/presence.ts";
import type { Context } from "./context.ts";
import { diagnoseOrders } from "./diagnosis.ts";
import { readGroupView } from "./group-view.ts";
import type { OrdersBody } from "./live-nodes.ts";
import { leaseViewIn, readSituation, type Situation } from "./situation.ts";

const NOTHING: OrdersBody = {
  desired: null,
  turn: null,
  waiting: null,
  confirm: null,
  acknowledged: [],
  logNext: [],
};

/** Frames hold no more peers, and no more jobs' logs, than this. */
const MAX_PEERS = 64;
const MAX_LOGS = 16;

export async function computeOrders(ctx: Context, nodeId: NodeId): Promise<OrdersBody> {
  const situation = await readSituation(ctx, nodeId);
  if (situation === null) return NOTHING;
  const { logNext, presence } = ctx.live.get(nodeId);
  const diagnosis = await diagnoseOrders(ctx, nodeId);
  const base: OrdersBody = {
    ...NOTHING,
    ...diagnosis.orders,
    acknowledged: acknowledged(ctx, situation),
    logNext: wantedNext(logNext, diagnosis.logNext),
  };
  const job = situation.job?.value ?? null;
  if (situation.node.value.membership !== "approved") {
    const name = situation.node.value.name;
    return {
      ...base,
      waiting: { code: "node-not-approved", message: `${name} waits for an operator's approval.` },
    };
  }
  if (job === null || !isActive(job)) return base;
  const { turn, waiting } = await turnOf(ctx, situation, job);
  const { confirming } = job;
  const holder = holderOf(situation.lease.value, nodeId);
  const isToConfirm =
    confirming !== null &&
    holder?.phase === "in-flight" &&
    holder.token === confirming.token &&
    presence?.hello.instanceId === confirming.instanceId;
  return {
    ...base,
    desired: desiredOf(job, situation),
    turn,
    waiting,
    confirm: isToConfirm ? { token: confirming.token, instanceId: confirming.instanceId } : null,
  };
}

const wantedNext = (...logs: readonly Iterable<readonly [JobId, number]>[]): Orders["logNext"] =>
  [...new Map(logs.flatMap((each) => [...each]))]
    .slice(-MAX_LOGS)
    .map(([jobId, index]) => ({ jobId, index }));

/** The orders of before, once lines of a log have come: all that they change is which are wanted next. */
export const afterLines = (orders: OrdersBody, logNext: ReadonlyMap<JobId, number>): OrdersBody => ({
  ...orders,
  // Those of a diagnosis may be in the orders alone; the newest come last, and stay.
  logNext: wantedNext(
    orders.logNext.flatMap(({ jobId, index }) => (logNext.has(jobId) ? [] : [[jobId, index] as const])),
    logNext,
  ),
});

/** Words that no lease is owed any more. What is owed was settled before this is computed. */
function acknowledged(ctx: Context, { node, lease }: Situation): number[] {
  const id = node.value.id;
  const owed = new Set(
    [...lease.value.holders, ...lease.value.broken]
      .filter((each) => each.nodeId === id)
      .map((each) => each.token),
  );
  return wordsOf(ctx.live.presence(id))
    .map((word) => word.token)
    .filter((token) => !owed.has(token));
}

function desiredOf(job: JobRecord, { rollout }: Situation): Desired {
  const nodes = job.rolloutId === null ? 0 : (rollout?.value.nodes.length ?? 0);
  return {
    jobId: job.id,
    kind: job.kind === "rollback" ? "rollback" : "update",
    cause: job.cause,
    release: job.kind === "rollback" ? null : job.release,
    build: job.to,
    retry: job.retry,
    jitterMs: jitterMs(nodes),
  };
}

/** A few nodes may fetch at once; many are spread, ten a second, over half a minute at most. */
const jitterMs = (nodes: number): number => (nodes <= 5 ? 0 : Math.min(30_000, nodes * 100));

/**
 * The turn is said when a reserve would be granted, and kept while the node holds the lease for it; a gate that closes
 * takes it back until the lease is in flight.
 */
async function turnOf(
  ctx: Context,
  situation: Situation,
  job: JobRecord,
): Promise<{ turn: OrdersBody["turn"]; waiting: Reason | null }> {
  const group = await readGroupView(ctx, situation.group.value, job.acceptOutage, situation.node.value);
  const view = leaseViewIn(ctx, situation, job, group);
  const own = holderOf(situation.lease.value, job.nodeId);
  const isHeld = own !== undefined && (own.jobId === job.id || own.jobId === null);
  const denied = isHeld
    ? (view.asker.noTurn ?? (own.phase === "reserved" ? group.gate : null))
    : denyReserve(situation.lease.value, view, ctx.now());
  if (denied !== null) return { turn: null, waiting: { code: denied.code, message: denied.message } };
  return { turn: { jobId: job.id, peers: await peersOf(ctx, group, job) }, waiting: null };
}

/** Who could take over leadership: the group's other nodes that serve, updated ones first. */
async function peersOf(ctx: Context, group: GroupView, job: JobRecord): Promise<Peer[]> {
  const peers = group.members
    .filter((member) => member.id !== job.nodeId && member.serving)
    .map((member): Peer => {
      const build = ctx.live.presence(member.id)?.hello.build ?? null;
      const updated = build !== null && job.to !== null && isUpdated(build, job);
      const role = member.role === null ? {} : { role: member.role };
      return { id: member.id, name: member.name, build, updated, ...role };
    });
  return peers.sort((a, b) => Number(b.updated) - Number(a.updated)).slice(0, MAX_PEERS);
}

/** On another platform the same release is another build. */
const isUpdated = (build: { version: string; buildHash: string }, job: JobRecord): boolean =>
  job.to !== null && (sameBuild(build, job.to) || (job.kind === "update" && build.version === job.release));

/** Why the node's job does not go on, for people; null when it does, or when there is none. */
export async function waitingReason(ctx: Context, nodeId: NodeId): Promise<Reason | null> {
  if (stateOf(ctx.live.presence(nodeId), ctx.timing, ctx.now()) !== "online") return null;
  return (await computeOrders(ctx, nodeId)).waiting;
}
