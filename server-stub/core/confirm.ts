/**
 * Whether a build that runs in probation is kept. The coordinator decides, not the agent; the decision is stored
 * before it is said, and storing it excludes failing the job.
 */
import { type Build, sameBuild, showBuild } from "../../protocol/build.ts";
import type { HealthReport } from "../../protocol/health.ts";
import type { Reason } from "../../protocol/job.ts";
import type { InstanceId } from "../../protocol/names.ts";
import type { DurationMs, EpochMs } from "../../protocol/time.ts";
import type { LeaseToken } from "../../protocol/token.ts";
import type { JobRecord } from "./job/job.ts";
import { isActive } from "./job/job.ts";
import { type InFlight, isOverdue } from "./lease/record.ts";

/** What the node's newest echoed session says; null when nothing was heard since the coordinator started. */
export type Heard = {
  readonly online: boolean;
  readonly instanceId: InstanceId;
  readonly build: Build;
  readonly health: HealthReport | null;
  /** Healthy heartbeats in a row since this session's hello. */
  readonly beats: number;
};

export type Verdict =
  /** Not yet; `waiting` says what is missing, for people. */
  | { readonly kind: "wait"; readonly waiting: Reason }
  /** Store `confirming` for this process, then say so. Again when another process of the new build took over. */
  | { readonly kind: "confirm"; readonly token: LeaseToken; readonly instanceId: InstanceId }
  /** `confirming` is stored and said; only the node can go on. `overdue` alerts and fails nothing. */
  | { readonly kind: "confirming"; readonly overdue: boolean }
  /** Longer than any probation: fail the job, alert, halt grants. The lease stays. */
  | { readonly kind: "fail"; readonly reason: Reason };

export function judge(
  job: JobRecord,
  holder: InFlight,
  heard: Heard | null,
  policy: { readonly confirmAfterHeartbeats: number; readonly overdueAfterMs: DurationMs },
  now: EpochMs,
): Verdict {
  const overdue = isOverdue(holder, policy.overdueAfterMs, now);
  const waiting = notYet(job, holder, heard, policy.confirmAfterHeartbeats);
  const { confirming } = job;
  if (confirming !== null && confirming.token === holder.token) {
    const isTaken = waiting === null && heard !== null && heard.instanceId !== confirming.instanceId;
    if (isTaken) return { kind: "confirm", token: holder.token, instanceId: heard.instanceId };
    return { kind: "confirming", overdue };
  }
  if (!isActive(job)) return { kind: "wait", waiting: { code: "job-ended", message: "The job has ended." } };
  if (waiting === null && heard !== null) {
    return { kind: "confirm", token: holder.token, instanceId: heard.instanceId };
  }
  const reason = waiting ?? DID_NOT_RECONNECT;
  return overdue ? { kind: "fail", reason } : { kind: "wait", waiting: reason };
}

const DID_NOT_RECONNECT: Reason = {
  code: "did-not-reconnect",
  message: "The node did not reconnect after it went down for the update.",
};

/** What is missing before the build may be kept, most basic first; null when nothing is. */
function notYet(job: JobRecord, holder: InFlight, heard: Heard | null, beatsNeeded: number): Reason | null {
  if (heard === null || !heard.online || heard.instanceId === holder.instanceId) return DID_NOT_RECONNECT;
  if (job.to === null || !sameBuild(job.to, heard.build)) {
    const expected = job.to === null ? "another" : showBuild(job.to);
    return {
      code: "reconnected-on-other-build",
      message: `The node reconnected at ${showBuild(heard.build)}, expected ${expected}.`,
    };
  }
  if (heard.health?.healthy !== true) {
    const detail = heard.health?.detail;
    return {
      code: "unhealthy",
      message: `The new build runs and is not healthy${detail === undefined ? "." : `: ${detail}`}`,
    };
  }
  if (heard.health.caughtUp === false) {
    return { code: "not-caught-up", message: "The new build is healthy and has not caught up yet." };
  }
  if (heard.beats < beatsNeeded) {
    return {
      code: "stabilizing",
      message: `The new build is healthy; ${heard.beats} of ${beatsNeeded} heartbeats were heard.`,
    };
  }
  return null;
}
