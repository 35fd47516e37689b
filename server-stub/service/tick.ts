/**
 * The engine's heartbeat: what time alone makes due. Called often; each part looks only at what may be due, and
 * may run again at any time.
 */
import type { NodeId } from "../../protocol/names.ts";
import { judge } from "../core/confirm.ts";
import { fail } from "../core/job/outcome.ts";
import { expire } from "../core/lease/end.ts";
import { type Holder, isOverdue, type LeaseRecord } from "../core/lease/record.ts";
import type { Change, Stored } from "../store/records.ts";
import { watchNodes } from "./alerts-of-nodes.ts";
import { attempt, type Decision } from "./attempt.ts";
import { audit, COORDINATOR } from "./audit.ts";
import { catchUpAll } from "./catch-up.ts";
import type { Context } from "./context.ts";
import { runRollout } from "./engine.ts";
import { heardOf } from "./heard.ts";
import { isolated } from "./isolated.ts";
import { jobChanges } from "./job-changes.ts";
import type { Machine } from "./parts.ts";
import { pushGroup } from "./push.ts";
import { judgePolicy } from "./reports.ts";
import { forgetRequests } from "./requests.ts";
import type { StartOnPublish } from "./start-on-publish.ts";
import { createGateWatch } from "./tick-gates.ts";
import { createJobWatch } from "./tick-jobs.ts";
import { tickMachine } from "./tick-machine.ts";
import { tickPresence } from "./tick-presence.ts";
import { createRetention } from "./tick-retention.ts";
import { createRolloutWatch } from "./tick-rollouts.ts";
import { tickTrust } from "./tick-trust.ts";
import type { TickUnit } from "./tick-units.ts";

/** Milliseconds between two runs of what need not be looked at every time. */
const EVERY = {
  rollouts: 1_000,
  gates: 1_000,
  sweep: 5_000,
  jobs: 5_000,
  alerts: 5_000,
  requests: 600_000,
  catchUp: 10_000,
  seen: 60_000,
  trust: 60_000,
  machine: 60_000,
};

export function createTick(ctx: Context, starts: StartOnPublish, machine?: Machine): () => Promise<void> {
  const due = createDue(ctx);
  const watchGates = createGateWatch(ctx);
  const watchJobs = createJobWatch(ctx);
  const watchRollouts = createRolloutWatch(ctx);
  const retain = createRetention(ctx);
  const one = (unit: TickUnit, work: () => Promise<unknown>) => isolated(ctx, unit, {}, work);
  let running: Promise<void> | null = null;
  const run = async (): Promise<void> => {
    await tickPresence(ctx, { sweep: due("sweep", EVERY.sweep), seen: due("seen", EVERY.seen) });
    await one("lease", () => tickLeases(ctx));
    if (due("rollouts", EVERY.rollouts)) {
      await one("rollout", watchRollouts);
      await one("alert", () => resolveOverdue(ctx));
    }
    if (due("gates", EVERY.gates)) {
      await one("gates", watchGates);
      await one("start", () => starts.runAll());
    }
    if (due("jobs", EVERY.jobs)) await one("job", watchJobs);
    if (due("alerts", EVERY.alerts)) await one("alert", () => watchNodes(ctx));
    if (due("requests", EVERY.requests)) await one("requests", () => forgetRequests(ctx));
    if (due("catchUp", EVERY.catchUp)) await one("catch-up", () => catchUpAll(ctx));
    if (due("trust", EVERY.trust)) await one("trust", () => tickTrust(ctx));
    if (machine !== undefined && due("machine", EVERY.machine)) {
      await one("alert", () => tickMachine(ctx, machine));
    }
    await one("retention", retain);
  };
  // A tick that comes while one is at work is the same tick.
  return () => {
    running ??= run().finally(() => {
      running = null;
    });
    return running;
  };
}

/** True once per interval and name; the first time at once. */
function createDue(ctx: Context): (name: string, everyMs: number) => boolean {
  const last = new Map<string, number>();
  return (name, everyMs) => {
    const before = last.get(name);
    if (before !== undefined && ctx.now() - before < everyMs) return false;
    last.set(name, ctx.now());
    return true;
  };
}

async function tickLeases(ctx: Context): Promise<void> {
  for (const { group } of await ctx.store.busyLeases()) {
    await isolated(ctx, "lease", { group }, async () => {
      const done = await attempt(ctx.store, () => decideLease(ctx, group));
      for (const rolloutId of done.rolloutIds) await runRollout(ctx, rolloutId);
      if (done.changed) await pushGroup(ctx, group, done.nodeIds);
    });
  }
}

type Done = {
  readonly changed: boolean;
  readonly nodeIds: readonly NodeId[];
  readonly rolloutIds: readonly string[];
};

/** Reservations past their time are dropped; whoever is in flight for too long fails its job, and stays in flight. */
async function decideLease(ctx: Context, group: string): Promise<Decision<Done>> {
  const lease = await ctx.store.lease(group);
  if (lease === null) return { changes: [], answer: { changed: false, nodeIds: [], rolloutIds: [] } };
  const { lease: value, outcome: expired } = expire(lease.value, ctx.now());
  const changes: Change[] = [];
  if (expired.length > 0) {
    changes.push({ kind: "lease", group, value, expected: lease.revision });
    for (const { token, nodeId } of expired) {
      changes.push(audit(ctx, COORDINATOR, "lease.expired", group, { token, nodeId }, null));
    }
  }
  const overdue = await overdueChanges(ctx, group, lease);
  changes.push(...overdue.changes);
  const nodeIds = [...expired.map((holder) => holder.nodeId), ...overdue.nodeIds];
  return { changes, answer: { changed: nodeIds.length > 0, nodeIds, rolloutIds: overdue.rolloutIds } };
}

async function overdueChanges(ctx: Context, group: string, lease: Stored<LeaseRecord>) {
  const changes: Change[] = [];
  const nodeIds: NodeId[] = [];
  const rolloutIds: string[] = [];
  for (const holder of lease.value.holders) {
    if (holder.phase !== "in-flight" || !isOverdue(holder, ctx.leasePolicy.overdueAfterMs, ctx.now()))
      continue;
    if (!(await isAlerted(ctx, group))) {
      const node = await ctx.store.node(holder.nodeId);
      const message = `${node?.value.name ?? holder.nodeId} has been in flight under token ${holder.token} for longer than any probation takes.`;
      changes.push({ kind: "raise", alert: "lease_overdue", subject: group, message, at: ctx.wall() });
    }
    const job = holder.jobId === null ? null : await ctx.store.job(holder.jobId);
    if (job === null) continue;
    const verdict = judge(job.value, holder, heardOf(ctx, holder.nodeId), judgePolicy(ctx), ctx.now());
    if (verdict.kind !== "fail") continue;
    changes.push({ kind: "same-lease", group, expected: lease.revision });
    changes.push(...jobChanges(ctx, job, fail(job.value, verdict.reason, ctx.wall())));
    nodeIds.push(holder.nodeId);
    if (job.value.rolloutId !== null) rolloutIds.push(job.value.rolloutId);
  }
  return { changes, nodeIds, rolloutIds };
}

/**
 * Nobody in the group is overdue any more. By since when the lease is in flight, which a restart of the coordinator
 * leaves as it is: an alert is not resolved by it, to be raised again.
 */
async function resolveOverdue(ctx: Context): Promise<void> {
  for (const { subject } of await ctx.store.openAlerts("lease_overdue")) {
    await isolated(ctx, "alert", { group: subject }, async () => {
      const lease = await ctx.store.lease(subject);
      const wasOverdue = (holder: Holder) =>
        holder.phase === "in-flight" &&
        isOverdue({ ...holder, countedFromMs: holder.sinceMs }, ctx.leasePolicy.overdueAfterMs, ctx.now());
      if (lease?.value.holders.some(wasOverdue) === true) return;
      const because = "The lease is no longer held for too long.";
      await ctx.store.apply([{ kind: "resolve", alert: "lease_overdue", subject, at: ctx.wall(), because }]);
    });
  }
}

async function isAlerted(ctx: Context, group: string): Promise<boolean> {
  const alerts = await ctx.store.openAlerts("lease_overdue");
  return alerts.some((alert) => alert.subject === group);
}
