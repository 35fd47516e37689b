import type { GroupName, NodeId } from "../../protocol/names.ts";
import { ok, type Result } from "../../protocol/result.ts";
import { isActive, type JobRecord } from "../core/job/job.ts";
import { fail } from "../core/job/outcome.ts";
import { commit } from "../core/lease/commit.ts";
import { breakLease } from "../core/lease/end.ts";
import { cancel, renew } from "../core/lease/hold.ts";
import type { LeaseRecord } from "../core/lease/record.ts";
import { reserve } from "../core/lease/reserve.ts";
import type { Denied, HoldView, Step } from "../core/lease/view.ts";
import { newestOf } from "../core/presence/presence.ts";
import type { Change, Revision } from "../store/records.ts";
import { attempt, type Decision } from "./attempt.ts";
import { actorOf, audit, nodeActor } from "./audit.ts";
import type { Context } from "./context.ts";
import type { Leases, Refusal } from "./coordinator.ts";
import { runRollout, runRollouts } from "./engine.ts";
import { brief, jobChanges } from "./job-changes.ts";
import { showLease } from "./lease-view.ts";
import { startedOnNode } from "./node-job.ts";
import { pushGroup } from "./push.ts";
import { noGroup, noNode, refuse } from "./refusals.ts";
import { leaseViewOf, readSituation, type Situation } from "./situation.ts";

export const createLeases = (ctx: Context): Leases => ({
  view: (group) => showLease(ctx, group),

  reserve: (nodeId, group, request) =>
    onLease(ctx, nodeId, group, request.jobId, async (found, policy) => {
      const situation = await startedOnNode(ctx, found, request);
      if (!situation.ok) return situation;
      const { job, isNew } = situation.value;
      const view = await leaseViewOf(ctx, situation.value.situation, job);
      if (!sameTarget(job, request.build)) return refuse("not-your-turn", otherBuild(job));
      const step = reserve(found.lease.value, request.session, view, ctx.now());
      const after: JobRecord = {
        ...job,
        status: "running",
        step: "reserve",
        startedAt: job.startedAt ?? ctx.wall(),
        leasedAt: job.leasedAt ?? ctx.wall(),
      };
      const entry = step.outcome.ok ? { token: step.outcome.value.token, job: job.id } : null;
      return stepOf(ctx, found, step, { action: "lease.reserved", entry }, isNew ? null : job, after, policy);
    }),

  commit: (nodeId, group, request) =>
    onLease(ctx, nodeId, group, jobOfHolder, async (found, policy) => {
      const { job } = found;
      if (job === null)
        return refuse("stale-token", `Token ${request.token} does not hold this group's lease.`);
      const view = await leaseViewOf(ctx, found, job.value);
      const step = commit(found.lease.value, request, view, ctx.now());
      const entry = step.outcome.ok ? { token: request.token, ...step.outcome.value } : null;
      const after: JobRecord = { ...job.value, status: "running", step: "commit" };
      return stepOf(ctx, found, step, { action: "lease.committed", entry }, job.value, after, policy);
    }),

  renew: (nodeId, group, request) =>
    onLease(ctx, nodeId, group, jobOfHolder, async (found) => {
      const step = renew(found.lease.value, request, holdViewOf(ctx, nodeId), ctx.now());
      return stepOf(ctx, found, step, { action: "lease.renewed", entry: null }, null, null);
    }),

  async cancel(nodeId, group, request) {
    const done = await onLease(ctx, nodeId, group, jobOfHolder, async (found) => {
      const step = cancel(found.lease.value, request, holdViewOf(ctx, nodeId));
      const entry = step.outcome.ok && step.outcome.value ? { token: request.token } : null;
      return stepOf(ctx, found, step, { action: "lease.cancelled", entry }, null, null);
    });
    if (!done.ok) return done;
    if (done.value) await afterReturn(ctx, group, nodeId);
    return showLease(ctx, group);
  },

  async break(by, group, request) {
    const done = await attempt(ctx.store, () => decideBreak(ctx, by, group, request));
    if (!done.ok) return done;
    for (const rolloutId of done.value.rolloutIds) await runRollout(ctx, rolloutId);
    await afterReturn(ctx, group, ...done.value.nodeIds);
    return showLease(ctx, group);
  },
});

/** A lease came free: whoever waits for it goes on now. */
async function afterReturn(ctx: Context, group: GroupName, ...nodeIds: NodeId[]): Promise<void> {
  await runRollouts(ctx, group);
  await pushGroup(ctx, group, nodeIds);
}

type Decided<T> = Result<Decision<Result<T, Refusal>>, Refusal>;
/** The job of the holder, whatever it is: the request does not name one. */
const jobOfHolder = Symbol("the job that holds the lease");

/** One call of a node on its own group's lease: read, decide, write, again while somebody else writes in between. */
function onLease<T>(
  ctx: Context,
  nodeId: NodeId,
  group: GroupName,
  jobId: string | typeof jobOfHolder,
  decide: (situation: Situation, policy: Revision) => Promise<Decided<T>>,
): Promise<Result<T, Refusal>> {
  return attempt<Result<T, Refusal>>(ctx.store, async () => {
    // Read before anything is decided by it: a freeze that comes in between is noticed by the write.
    const { revision: policy } = await ctx.store.policy();
    const situation = await readSituation(ctx, nodeId, jobId === jobOfHolder ? undefined : jobId);
    if (situation === null) return { changes: [], answer: noNode(nodeId) };
    if (situation.node.value.group !== group) return { changes: [], answer: noGroup(group) };
    const decided = await decide(situation, policy);
    return decided.ok ? decided.value : { changes: [], answer: decided };
  });
}

/**
 * What a step of the lease's core means for the store: the lease, its job and the audit entry, on the condition
 * that the group, its members and the fleet's policy are still what the step was computed from. A refusal may change
 * the lease too.
 */
function stepOf<T>(
  ctx: Context,
  { group, lease, job: stored, node }: Situation,
  step: Step<Result<T, Denied>>,
  said: { readonly action: string; readonly entry: object | null },
  before: JobRecord | null,
  after: JobRecord | null,
  policy: Revision | null = null,
): Decided<T> {
  const changes: Change[] = [];
  if (step.lease !== lease.value) changes.push(leaseChange(group.value.name, step.lease, lease.revision));
  if (step.outcome.ok) {
    if (changes.length > 0) {
      changes.unshift({ kind: "same-group", name: group.value.name, expected: group.revision });
      if (policy !== null) changes.unshift({ kind: "same-policy", expected: policy });
    }
    if (after !== null && stored !== null && before !== null) {
      changes.push(...jobChanges(ctx, { value: before, revision: stored.revision }, after));
    }
    if (after !== null && before === null) {
      changes.push({ kind: "job", value: after, expected: 0 });
      changes.push(audit(ctx, nodeActor(node.value.id), "job.queued", after.id, null, brief(after)));
    }
    if (said.entry !== null) {
      changes.push(audit(ctx, nodeActor(node.value.id), said.action, group.value.name, null, said.entry));
    }
  } else {
    const { code, message } = step.outcome.error;
    const about = { jobId: stored?.value.id ?? null, rolloutId: stored?.value.rolloutId ?? null };
    const fields = { nodeId: node.value.id, group: group.value.name, ...about, code, reason: message };
    ctx.log.info(fields, "lease refused");
  }
  return ok({ changes, answer: step.outcome });
}

async function decideBreak(
  ctx: Context,
  by: Parameters<Leases["break"]>[0],
  group: GroupName,
  request: { readonly token: number; readonly reason: string },
): Promise<Decision<Result<{ nodeIds: NodeId[]; rolloutIds: string[] }, Refusal>>> {
  const lease = await ctx.store.lease(group);
  if (lease === null) return { changes: [], answer: noGroup(group) };
  const step = breakLease(lease.value, request, ctx.leasePolicy, ctx.now());
  if (!step.outcome.ok) return { changes: [], answer: step.outcome };
  const holder = step.outcome.value;
  if (holder === null) return { changes: [], answer: ok({ nodeIds: [], rolloutIds: [] }) };
  const { token, nodeId, phase, jobId } = holder;
  const changes: Change[] = [
    leaseChange(group, step.lease, lease.revision),
    audit(ctx, actorOf(by), "lease.broken", group, { token, nodeId, phase }, { reason: request.reason }),
    {
      kind: "resolve",
      alert: "lease_overdue",
      subject: group,
      at: ctx.wall(),
      because: "The lease was broken.",
    },
  ];
  const job = jobId === null ? null : await ctx.store.job(jobId);
  const rolloutIds = job === null || job.value.rolloutId === null ? [] : [job.value.rolloutId];
  if (job !== null && isActive(job.value) && phase === "in-flight") {
    const reason = { code: "lease-broken", message: `Its lease was broken: ${request.reason}` };
    changes.push(...jobChanges(ctx, job, fail(job.value, reason, ctx.wall()), actorOf(by)));
  }
  return { changes, answer: ok({ nodeIds: [nodeId], rolloutIds }) };
}

const holdViewOf = (ctx: Context, nodeId: NodeId): HoldView => ({
  policy: ctx.leasePolicy,
  asker: { nodeId, newest: newestOf(ctx.live.presence(nodeId)) },
});

const leaseChange = (group: GroupName, value: LeaseRecord, expected: number): Change => ({
  kind: "lease",
  group,
  value,
  expected,
});

const sameTarget = (job: JobRecord, build: { version: string; buildHash: string }): boolean =>
  job.to?.buildHash === build.buildHash && job.to.version === build.version;

const otherBuild = (job: JobRecord): string =>
  `Job ${job.id} is for ${job.to?.version ?? "another build"}, and not for the build that was named.`;
