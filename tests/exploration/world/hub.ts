/**
 * The coordinator: the real lease, presence, confirm and job outcome, put together as the services in
 * `server-stub/service/` do (`reports.ts`, `leases.ts`, `orders.ts`, `tick.ts`, `restart.ts`, `group-view.ts`), less
 * rollouts: each job stands for itself. One call here is one write there. That the services do just that, also
 * against each other, is what the simulation is about.
 */
import type { LeaseFailure } from "../../../agent/core/ports.ts";
import type { Heartbeat, Hello } from "../../../protocol/frames.ts";
import type { Result } from "../../../protocol/result.ts";
import { type Heard, judge } from "../../../server-stub/core/confirm.ts";
import { refusesUnasked } from "../../../server-stub/core/desired.ts";
import { isActive, type JobRecord } from "../../../server-stub/core/job/job.ts";
import { afterProof, fail, succeed } from "../../../server-stub/core/job/outcome.ts";
import { followUpdate } from "../../../server-stub/core/job/progress.ts";
import { isThere } from "../../../server-stub/core/job/there.ts";
import { breakLease, expire, remove, restore, resume } from "../../../server-stub/core/lease/end.ts";
import { holderOf, type LeaseRecord } from "../../../server-stub/core/lease/record.ts";
import { type Settled, settle } from "../../../server-stub/core/lease/settle.ts";
import { beatsOf, hear, open, type Presence, stateOf } from "../../../server-stub/core/presence/presence.ts";
import { mustBeOver, mustOnlyReturnOwn } from "./checks.ts";
import { policyOf, timingOf } from "./group-view.ts";
import { CONFIRM_AFTER_HEARTBEATS, LEASE_POLICY } from "./time.ts";
import { type Hub, idOf, type NodeIndex, nodeAt, replaced, type World, withHub, withNode } from "./world.ts";

/** A lease call's answer, or how it came to nothing. */
export type Answer<T> = Result<T, LeaseFailure>;

const JUDGE_POLICY = {
  confirmAfterHeartbeats: CONFIRM_AFTER_HEARTBEATS,
  overdueAfterMs: LEASE_POLICY.overdueAfterMs,
};

/** A hello opens a session; it proves nothing. */
export function takeHello(world: World, at: NodeIndex, hello: Hello): { world: World; session: string } {
  const session = `s${world.serial}`;
  const presence = open(hello, session, world.hub.presence[at], world.now);
  const next = { ...world, serial: world.serial + 1 };
  return { world: withPresence(next, at, presence), session };
}

/** What came of a heartbeat; `counted` false: it is of another session, or too late in its own. */
export type Taken = { readonly world: World; readonly heard: "counted" | "unknown-session" | "stale-seq" };

export function takeHeartbeat(world: World, at: NodeIndex, frame: Heartbeat): Taken {
  if (!nodeAt(world, at).member) return { world, heard: "unknown-session" };
  const heard = hear(world.hub.presence[at], frame, world.now);
  if (!heard.counted) return { world, heard: heard.why };
  const { presence } = heard;
  const { hello } = presence;
  const report = {
    nodeId: idOf(at),
    instanceId: hello.instanceId,
    build: hello.build,
    journal: frame.journal,
    finalWords: frame.finalWords,
  };
  const before = world.hub.lease;
  const step = settle(before, report, policyOf(world.hub), world.now);
  const { settled } = step.outcome;
  for (const each of settled) mustBeOver(world, at, each);
  mustOnlyReturnOwn(at, before, step.lease);
  const reportsRole =
    frame.health.role !== undefined || (!frame.health.healthy && (world.hub.known[at]?.reportsRole ?? false));
  const known = replaced(world.hub.known, at, { holdings: frame.holdings, reportsRole });
  const next = withHub(withPresence(world, at, presence), { lease: step.lease, known });
  const job = world.hub.jobs[at] ?? null;
  if (job === null) return { world: next, heard: "counted" };
  const after = nextJob(next, at, job, settled, report, frame);
  return { world: withJob(next, at, after), heard: "counted" };
}

type Report = Parameters<typeof settle>[1];

/** `server-stub/service/reports.ts`, `nextJob`. That a job has ended is left to the core to see. */
function nextJob(
  world: World,
  at: NodeIndex,
  before: JobRecord,
  settled: readonly Settled[],
  report: Report,
  frame: Heartbeat,
): JobRecord {
  const { hub, now } = world;
  let job = before;
  for (const each of settled) {
    if (each.jobId === job.id) job = afterProof(job, each.proof, each.reason, report.build, now);
  }
  const holder = holderOf(hub.lease, report.nodeId);
  const isUnderWay = holder?.jobId === job.id;
  if (isActive(job)) job = followUpdate(job, frame.update, isUnderWay, now);
  if (isActive(job) && isThere(job, hub.lease, report, frame.update.state)) return succeed(job, now);
  if (isActive(job) && !isUnderWay) job = failRefused(job, frame, now);
  if (holder?.phase !== "in-flight" || !isUnderWay) return job;
  const verdict = judge(job, holder, heardOf(world, at), JUDGE_POLICY, now);
  if (verdict.kind !== "confirm") return job;
  const { token, instanceId } = verdict;
  return { ...job, step: "confirm", confirming: { token, instanceId, sinceMs: now } };
}

function failRefused(job: JobRecord, { holdings, update }: Heartbeat, now: number): JobRecord {
  if (job.kind !== "update" || job.retry || job.to === null || update.state !== "idle") return job;
  const firm = { ...holdings, quarantine: holdings.quarantine.filter((entry) => !entry.provisional) };
  const refuses = refusesUnasked(firm, job.to);
  return refuses === null ? job : fail(job, refuses, now);
}

function heardOf(world: World, at: NodeIndex): Heard | null {
  const presence = world.hub.presence[at];
  if (presence?.heartbeat == null) return null;
  return {
    online: stateOf(presence, timingOf(world.hub), world.now) === "online",
    instanceId: presence.hello.instanceId,
    build: presence.hello.build,
    health: presence.heartbeat.health,
    beats: beatsOf(presence, timingOf(world.hub)),
  };
}

/** What time alone makes due: reservations that are over go, and who is in flight for too long fails its job. */
export function tick(world: World): World {
  const { hub, now } = world;
  let next = world;
  for (const holder of hub.lease.holders) {
    const at = hub.jobs.findIndex((job) => job !== null && job.id === holder.jobId);
    const job = hub.jobs[at] ?? null;
    if (holder.phase !== "in-flight" || job === null) continue;
    const verdict = judge(job, holder, heardOf(world, at), JUDGE_POLICY, now);
    if (verdict.kind === "fail") next = withJob(next, at, fail(job, verdict.reason, now));
  }
  const { lease } = expire(hub.lease, now);
  return lease === hub.lease ? next : withHub(next, { lease });
}

/** An operator breaks the lease that is held; null when it is refused. */
export function breakHeld(world: World): World | null {
  const { hub, now } = world;
  const holder = hub.lease.holders[0];
  if (holder === undefined) return null;
  const step = breakLease(hub.lease, { token: holder.token, reason: "lost" }, policyOf(hub), now);
  if (!step.outcome.ok) return null;
  const next = withHub(world, { lease: step.lease });
  const at = hub.jobs.findIndex((job) => job !== null && job.id === holder.jobId);
  const job = hub.jobs[at] ?? null;
  if (job === null || !isActive(job) || holder.phase === "reserved") return next;
  return withJob(next, at, fail(job, { code: "lease-broken", message: "Its lease was broken." }, now));
}

/** An operator removes a node. What it does from then on is nobody's business. */
export function removeNode(world: World, at: NodeIndex): World {
  const gone = withNode(world, at, { member: false, process: null });
  const { hub } = world;
  return withHub(gone, {
    lease: remove(hub.lease, idOf(at)),
    jobs: replaced(hub.jobs, at, null),
    presence: replaced(hub.presence, at, undefined),
  });
}

/** The coordinator dies and starts again: memory is gone, the store is not. */
export const restartHub = (world: World): World =>
  withHub(forgotten(world), { lease: resume(world.hub.lease, policyOf(world.hub), world.now) });

/** The store is put back to what it was when it was backed up. */
export function restoreHub(world: World): World | null {
  const { backup, epoch } = world.hub;
  if (backup === null) return null;
  const restored = withHub(forgotten(world), {
    ...backup,
    lease: restore(backup.lease, world.now),
    epoch: epoch + 1,
  });
  // It starts as any other time.
  const lease: LeaseRecord = resume(restored.hub.lease, policyOf(restored.hub), world.now);
  return withHub(restored, { lease, backup: null });
}

const forgotten = (world: World): World =>
  withHub(world, { presence: world.hub.presence.map(() => undefined), startedAt: world.now });

/** A job never gives up here, however often its lease comes back unused: worse things can happen to one that goes on. */
export const withJob = (world: World, at: NodeIndex, record: JobRecord): World => {
  const job = record.returns === 0 ? record : { ...record, returns: 0 };
  return world.hub.jobs[at] === job ? world : withHub(world, { jobs: replaced(world.hub.jobs, at, job) });
};

const withPresence = (world: World, at: NodeIndex, presence: Presence): World =>
  withHub(world, { presence: replaced<Hub["presence"][number]>(world.hub.presence, at, presence) });
