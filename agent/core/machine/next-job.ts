/** What to do with the job that is desired, where a node is free to begin one. */
import { type Build, showBuild } from "../../../protocol/build.ts";
import type { Desired } from "../../../protocol/frames.ts";
import type { Reason } from "../../../protocol/job.ts";
import { because, type Draft, STOPPED } from "./draft.ts";
import type { Facts, Outcome } from "./facts.ts";
import type { Exiting, Idle, Prepared, Preparing, Reserving, Work } from "./state.ts";

/** Idle, or on to the job that is desired if there is one that may be begun now. */
export function consider(draft: Draft, backoff: Idle["backoff"] = null): Idle | Preparing | Exiting {
  const { facts, now } = draft;
  const job = facts.orders.desired;
  if (facts.stopping) return draft.exit(0, STOPPED, null);
  const kept = backoff !== null && backoff.jobId === job?.jobId ? backoff : null;
  const idle: Idle = { kind: "idle", backoff: kept };
  if (job === null || isOver(facts, job) || facts.writing !== null) return idle;
  const refusal = refuse(facts, job);
  if (refusal !== null) {
    draft.learn({ outcome: { jobId: job.jobId, build: targetOf(facts, job), ...refusal } });
    draft.note(job.jobId, "preflight", refusal.reason.message);
    return { kind: "idle", backoff: null };
  }
  if (kept !== null && now < kept.until) return idle;
  return begin(draft, job, kept?.attempts ?? 0);
}

/** Takes the job: lifts what it lifts by being asked for by name, then prepares. */
export function begin(draft: Draft, job: Desired, attempt: number): Preparing {
  const { facts } = draft;
  const target = targetOf(facts, job);
  const common = {
    kind: "preparing",
    job,
    attempt,
    progress: { step: "preflight", percent: 0, bytesPerSecond: null },
    reason: null,
  } as const;
  if (job.retry && target !== null && isQuarantined(facts, target)) {
    draft.note(job.jobId, "preflight", `The quarantine of ${showBuild(target)} is lifted, as asked.`);
    return { ...common, step: "lift-quarantine", op: draft.ask({ kind: "lift-quarantine", build: target }) };
  }
  if (job.retry && facts.journal.hold) {
    draft.note(job.jobId, "preflight", "The hold is lifted, as asked.");
    const journal = { ...facts.journal, hold: false };
    return { ...common, step: "lift-hold", op: draft.ask({ kind: "write-journal", journal }) };
  }
  // A second attempt need not wait at random once more: the nodes of a stage have spread already.
  const spread = attempt === 0 ? job : { ...job, jitterMs: 0 };
  return { ...common, step: "work", op: draft.ask({ kind: "prepare", job: spread }) };
}

/** Prepared: asks for the lease as soon as nothing stands against it. */
export function advance(
  draft: Draft,
  work: Work,
  denied: Prepared["denied"],
): Prepared | Reserving | Idle | Preparing | Exiting {
  const { facts, now } = draft;
  if (facts.stopping) return draft.exit(0, STOPPED, null);
  if (facts.orders.desired?.jobId !== work.job.jobId) return consider(draft);
  const waits = (reason: Reason | null): Prepared => ({ kind: "prepared", work, denied, reason });
  if (facts.session === null)
    return waits(because("no-session", "There is no session with the coordinator."));
  if (facts.journal.finalWords.length > 0) {
    return waits(
      because("last-word", "The coordinator has not yet acknowledged the last word on an earlier lease."),
    );
  }
  if (facts.orders.turn?.jobId !== work.job.jobId)
    return waits(facts.orders.waiting ?? denied?.reason ?? null);
  if (denied !== null && now < denied.until) return waits(denied.reason);
  const op = draft.ask({
    kind: "reserve",
    session: facts.session,
    jobId: work.job.jobId,
    build: work.prepared.build,
  });
  return { kind: "reserving", work, op, sentAt: now };
}

/** The build that a job is about; null for a rollback without a backup. */
export const targetOf = (facts: Facts, job: Desired): Build | null =>
  job.kind === "update" ? job.build : (facts.backup?.build ?? null);

export const isQuarantined = (facts: Facts, build: Build): boolean =>
  facts.quarantine.some((entry) => entry.build.buildHash === build.buildHash);

const isOver = (facts: Facts, job: Desired): boolean =>
  facts.journal.endedJob === job.jobId || facts.outcome?.jobId === job.jobId;

/** Why a job is not begun at all. Not `failed` when there is nothing left to do. */
function refuse(facts: Facts, job: Desired): { reason: Reason; result: Outcome["result"] } | null {
  const refused = (code: string, message: string) => ({
    reason: because(code, message),
    result: "failed" as const,
  });
  const { dist, running } = facts.self;
  if (dist === null) {
    return refused(
      "no-dist",
      "The state directory has no complete dist, so there is nothing to swap. Install a build.",
    );
  }
  if (dist.build.buildHash !== running.buildHash) {
    const named = `dist names ${showBuild(dist.build)}, and this process runs ${showBuild(running)}`;
    return refused("dist-changed", `${named}. Restart the agent first.`);
  }
  const target = targetOf(facts, job);
  const meant = job.build ?? target;
  if (meant !== null && meant.buildHash === running.buildHash) {
    return {
      reason: because("already-up-to-date", `This node runs ${showBuild(running)} already.`),
      result: "succeeded",
    };
  }
  if (target === null) {
    return job.kind === "rollback"
      ? refused("no-backup", "dist.bak names no complete build, so there is nothing to go back to.")
      : refused("no-build", "The coordinator named no build for this platform.");
  }
  if (job.kind === "rollback" && job.build !== null && job.build.buildHash !== target.buildHash) {
    const asked = `Asked to go back to ${showBuild(job.build)}`;
    return refused("no-backup", `${asked}, and dist.bak names ${showBuild(target)}.`);
  }
  if (job.retry) return null;
  if (job.kind === "update" && facts.journal.hold) {
    return refused("held", "This node was rolled back on purpose and stays until it is told to retry.");
  }
  const entry = facts.quarantine.find(({ build }) => build.buildHash === target.buildHash);
  if (entry === undefined) return null;
  return refused("quarantined", `${showBuild(target)} is quarantined: ${entry.reason.message}`);
}
