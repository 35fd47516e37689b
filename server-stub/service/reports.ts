/**
 * Takes in what a node's newest session says: settles leases, moves its job on, decides whether a new build is
 * kept. All of it is one decision and one write; a heartbeat that says nothing new writes nothing.
 */
import type { Heartbeat } from "../../protocol/frames.ts";
import type { NodeId, RolloutId } from "../../protocol/names.ts";
import { judge } from "../core/confirm.ts";
import { movedBy, refusesUnasked, wantedFor } from "../core/desired.ts";
import { isActive, type JobRecord } from "../core/job/job.ts";
import { afterProof, fail, succeed } from "../core/job/outcome.ts";
import { followUpdate } from "../core/job/progress.ts";
import { isThere } from "../core/job/there.ts";
import { holderOf, type LeaseRecord } from "../core/lease/record.ts";
import type { Report } from "../core/lease/report.ts";
import { type Settled, settle } from "../core/lease/settle.ts";
import { holdingsOf, type Presence } from "../core/presence/presence.ts";
import type { Change, NodeRecord, Stored } from "../store/records.ts";
import { attempt, type Decision } from "./attempt.ts";
import { audit, COORDINATOR, nodeActor } from "./audit.ts";
import type { Context } from "./context.ts";
import { followed } from "./followed.ts";
import { heardOf } from "./heard.ts";
import { jobChanges } from "./job-changes.ts";
import { isSame } from "./same.ts";

/** What came of a report. */
export type Taken = {
  /** What is known of the node, the lease of its group, or how a job stands: others may be waiting for just that. */
  readonly isForOthers: boolean;
  /** Rollouts for whose jobs that is so, over or not. */
  readonly rolloutIds: readonly RolloutId[];
  readonly node: NodeRecord;
};

export const takeReport = (
  ctx: Context,
  nodeId: NodeId,
  presence: Presence,
  heartbeat: Heartbeat,
): Promise<Taken | null> => attempt(ctx.store, () => decide(ctx, nodeId, presence, heartbeat));

async function decide(
  ctx: Context,
  nodeId: NodeId,
  presence: Presence,
  heartbeat: Heartbeat,
): Promise<Decision<Taken | null>> {
  const { store } = ctx;
  const node = await store.node(nodeId);
  const lease = node === null ? null : await store.lease(node.value.group);
  if (node === null || lease === null) return { changes: [], answer: null };
  const active = await store.activeJob(nodeId);
  const report: Report = {
    nodeId,
    instanceId: presence.hello.instanceId,
    build: presence.hello.build,
    journal: heartbeat.journal,
    finalWords: heartbeat.finalWords,
  };
  const known = heardNode(node.value, presence, heartbeat, ctx.live.get(nodeId).address);
  const step = settle(lease.value, report, ctx.leasePolicy, ctx.now());
  const { settled, adopted } = step.outcome;
  const changes: Change[] = [];
  const moved: JobRecord[] = [];
  const follow = (before: Stored<JobRecord>, after: JobRecord): void => {
    changes.push(...jobChanges(ctx, before, after));
    // Which step it is at is nothing to others.
    if (after.status !== before.value.status || after.reason !== before.value.reason) moved.push(after);
  };
  let reported = known;
  if (step.lease !== lease.value) {
    const { group } = node.value;
    changes.push({ kind: "lease", group, value: step.lease, expected: lease.revision });
    changes.push(...settled.map((each) => returnedEntry(ctx, node.value, each)));
    for (const token of adopted) {
      ctx.log.warn(
        { nodeId, token, jobId: active?.value.id ?? null },
        "a node is at work under a token that is not on record",
      );
      changes.push(audit(ctx, nodeActor(nodeId), "lease.adopted", group, null, { token }));
    }
  }
  for (const each of settled) {
    if (each.jobId === null || each.jobId === active?.value.id) continue;
    const ended = await store.job(each.jobId);
    if (ended !== null) follow(ended, settleJob(ctx, ended.value, each, report));
  }
  if (active !== null) {
    const job = nextJob(ctx, active, settled, step.lease, report, heartbeat);
    follow(active, job);
    const placed = await placedBy(ctx, node.value, job);
    if (placed !== known.placed) reported = { ...known, placed };
    if (job.confirming !== null && job.confirming !== active.value.confirming) {
      changes.push(audit(ctx, COORDINATOR, "job.confirming", job.id, null, job.confirming));
    }
  }
  if (reported !== node.value) {
    changes.push({ kind: "node", value: reported, expected: node.revision });
  }
  const isForOthers = moved.length > 0 || step.lease !== lease.value || reported !== node.value;
  const rolloutIds = moved.flatMap(({ rolloutId }) => rolloutId ?? []);
  return { changes, answer: { isForOthers, rolloutIds, node: reported } };
}

/** The job after what its lease came to, what the agent says of it, and the coordinator's own judgement. */
function nextJob(
  ctx: Context,
  active: Stored<JobRecord>,
  settled: readonly Settled[],
  lease: LeaseRecord,
  report: Report,
  heartbeat: Heartbeat,
): JobRecord {
  let job = active.value;
  for (const each of settled) if (each.jobId === job.id) job = settleJob(ctx, job, each, report);
  if (!isActive(job)) return job;
  const holder = holderOf(lease, report.nodeId);
  const isUnderWay = holder?.jobId === job.id;
  // A restore has forgotten the lease that it went back under; the node is not asked for this build again by the job.
  const back = report.finalWords.find(({ jobId, word }) => jobId === job.id && word === "rolled-back");
  if (back !== undefined && !isUnderWay) {
    return afterProof(job, back.word, back.reason, report.build, ctx.wall());
  }
  job = followUpdate(job, heartbeat.update, isUnderWay, ctx.wall());
  if (isActive(job) && isThere(job, lease, report, heartbeat.update.state)) return succeed(job, ctx.wall());
  if (isActive(job) && !isUnderWay) job = failRefused(ctx, job, heartbeat);
  if (!isActive(job) || holder?.phase !== "in-flight" || !isUnderWay) return job;
  const verdict = judge(job, holder, heardOf(ctx, report.nodeId), judgePolicy(ctx), ctx.now());
  if (verdict.kind !== "confirm") return job;
  const { token, instanceId } = verdict;
  return { ...job, step: "confirm", confirming: { token, instanceId, sinceMs: ctx.now() } };
}

const settleJob = (ctx: Context, job: JobRecord, each: Settled, report: Report): JobRecord =>
  afterProof(job, each.proof, each.reason, report.build, ctx.wall());

/** A node that holds its build, or has quarantined the new one, and does nothing, is not waited for. */
function failRefused(ctx: Context, job: JobRecord, { holdings, update }: Heartbeat): JobRecord {
  if (job.kind !== "update" || job.retry || job.to === null || update.state !== "idle") return job;
  const firm = { ...holdings, quarantine: holdings.quarantine.filter((entry) => !entry.provisional) };
  const refuses = refusesUnasked(firm, job.to);
  return refuses === null ? job : fail(job, refuses, ctx.wall());
}

export const judgePolicy = (ctx: Context) => ({
  confirmAfterHeartbeats: ctx.timings.confirmAfterHeartbeats,
  overdueAfterMs: ctx.leasePolicy.overdueAfterMs,
});

/** A release that somebody asked for by name is where the node is meant to stay. */
async function placedBy(ctx: Context, node: NodeRecord, job: JobRecord): Promise<NodeRecord["placed"]> {
  if (job.status !== "succeeded") return node.placed;
  const group = await ctx.store.group(node.group);
  const channel = group === null ? null : await followed(ctx, group.value);
  const wanted = group?.value.wanted ?? null;
  const moved = movedBy(job, wantedFor(wanted, node.placed, channel));
  // The wall clock was set back since the group's was noted: what was asked for last still counts.
  const isAhead = wanted !== null && wanted.at > ctx.wall();
  return moved !== null && isAhead ? { ...moved, at: wanted.at + 1 } : (moved ?? node.placed);
}

/** The node with what is newly known of it; the same object when nothing is. */
function heardNode(
  node: NodeRecord,
  presence: Presence,
  heartbeat: Heartbeat,
  heardFrom: string | null,
): NodeRecord {
  const { hello } = presence;
  const known = {
    platform: hello.platform,
    build: hello.build,
    canHandOver: hello.canHandOver,
    reportsRole: reportsRole(heartbeat, node),
    holdings: holdingsOf(presence),
    runtime: hello.runtime,
    protocol: hello.protocol,
  };
  const address = heardFrom ?? node.address ?? null;
  return isSame(known, node.known) && address === (node.address ?? null) ? node : { ...node, known, address };
}

/** A hook that fails says nothing of roles; one that succeeds without a role has none. */
function reportsRole({ health }: Heartbeat, { known }: NodeRecord): boolean {
  if (health.role !== undefined) return true;
  return !health.healthy && (known?.reportsRole ?? false);
}

const returnedEntry = (ctx: Context, node: NodeRecord, each: Settled): Change =>
  audit(
    ctx,
    nodeActor(node.id),
    "lease.returned",
    node.group,
    { token: each.token, node: node.name, phase: each.phase },
    { proof: each.proof, reason: each.reason?.code ?? null },
  );
