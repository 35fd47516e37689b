/** What a node says of itself, from what the machine knows. Pure. */
import type { Build } from "../../protocol/build.ts";
import type { Desired, NodeHoldings, UpdateReport } from "../../protocol/frames.ts";
import type { Reason, Step } from "../../protocol/job.ts";
import type { JobId } from "../../protocol/names.ts";
import { because } from "./machine/draft.ts";
import type { Facts } from "./machine/facts.ts";
import { targetOf } from "./machine/next-job.ts";
import type { UpdateState } from "./machine/state.ts";
import type { Machine } from "./machine/transition.ts";

/** How far a job is when it enters a step, in percent of the whole; a fetch is most of what takes time. */
const PERCENT: Readonly<Record<Step, number>> = {
  preflight: 0,
  fetch: 2,
  prepare: 50,
  reserve: 60,
  handover: 62,
  commit: 65,
  drain: 68,
  swap: 75,
  restart: 80,
  health: 85,
  stabilize: 90,
  confirm: 96,
  rollback: 90,
  complete: 100,
  cancelled: 100,
};

/** Share of the whole that fetching and preparing take on top of where they begin. */
const SPAN: Readonly<Partial<Record<Step, number>>> = { fetch: 48, prepare: 9 };

export function updateReport({ facts, update }: Machine): UpdateReport {
  const { jobId, build, step, reason } = about(facts, update);
  const preparing = update.kind === "preparing" ? update.progress : null;
  const span = preparing === null ? 0 : (SPAN[preparing.step] ?? 0);
  const done = ((preparing?.percent ?? 0) / 100) * span;
  return {
    state: update.kind,
    jobId,
    build,
    step,
    percent: step === null ? 0 : Math.min(100, Math.max(0, Math.floor(PERCENT[step] + done))),
    bytesPerSecond:
      preparing?.bytesPerSecond == null ? null : Math.max(0, Math.round(preparing.bytesPerSecond)),
    reason,
    failed: update.kind === "idle" && (facts.outcome?.result === "failed" || endedBefore(facts) !== null),
  };
}

export function holdings({ backup, quarantine, journal }: Facts): NodeHoldings {
  return {
    backup: backup?.build ?? null,
    hold: journal.hold,
    quarantine: quarantine.slice(-64).map((entry) => ({ ...entry })),
  };
}

type About = {
  readonly jobId: JobId | null;
  readonly build: Build | null;
  readonly step: Step | null;
  readonly reason: Reason | null;
};

function about(facts: Facts, update: UpdateState): About {
  switch (update.kind) {
    case "idle":
      return idleAbout(facts, update);
    case "preparing":
      return {
        jobId: update.job.jobId,
        build: targetOf(facts, update.job),
        step: update.progress.step,
        reason: update.reason,
      };
    case "prepared":
      return { ...working(update, "reserve"), reason: update.reason };
    case "reserving":
      return working(update, "reserve");
    case "handing-over":
      return working(update, "handover");
    case "committing":
      return working(update, "commit");
    case "draining":
      return working(update, "drain");
    case "resuming":
      return {
        jobId: update.jobId,
        build: update.work?.prepared.build ?? null,
        step: update.after.failed ? "cancelled" : "reserve",
        reason: update.after.reason,
      };
    case "swapping":
      return working(update, "swap");
    case "probation":
      return {
        jobId: update.swap.jobId,
        build: update.swap.to.build,
        step: probationStep(facts),
        reason: null,
      };
    case "confirming":
      return { jobId: update.swap.jobId, build: update.swap.to.build, step: "confirm", reason: null };
    case "going-back":
      return {
        jobId: update.swap.jobId,
        build: update.swap.to.build,
        step: "rollback",
        reason: update.reason,
      };
    case "exiting":
      return {
        jobId: update.jobId,
        build: null,
        step: update.code === 75 ? "restart" : null,
        reason: update.why,
      };
  }
}

/**
 * A job that is wanted although this node has ended it, in a process before this one, elsewhere than on its build: the
 * coordinator was restored from a backup, or the process ended before it could say how. Nobody else knows that nothing
 * will come of it any more.
 */
function endedBefore({ journal, orders: { desired }, outcome, self }: Facts): Desired | null {
  if (desired === null || desired.jobId !== journal.endedJob || desired.jobId === outcome?.jobId) return null;
  return desired.build === null || desired.build.buildHash === self.running.buildHash ? null : desired;
}

const ENDED_BEFORE = because(
  "ended-before",
  "This node has ended this job already, and does not begin it again.",
);

function idleAbout(facts: Facts, { backoff }: Extract<UpdateState, { kind: "idle" }>): About {
  const { outcome, orders } = facts;
  const ended = endedBefore(facts);
  if (ended !== null) return { jobId: ended.jobId, build: ended.build, step: null, reason: ENDED_BEFORE };
  if (outcome !== null) {
    return { jobId: outcome.jobId, build: outcome.build, step: null, reason: outcome.reason };
  }
  if (backoff !== null) return { jobId: backoff.jobId, build: null, step: null, reason: backoff.reason };
  return { jobId: null, build: null, step: null, reason: orders.waiting };
}

const working = ({ work }: Extract<UpdateState, { work: { prepared: unknown } }>, step: Step): About => ({
  jobId: work.job.jobId,
  build: work.prepared.build,
  step,
  reason: null,
});

/** What the coordinator still waits for: a hello, health, or heartbeats in a row. */
function probationStep({ session, health }: Facts): Step {
  if (session === null) return "restart";
  return health.healthy && health.caughtUp !== false ? "stabilize" : "health";
}
