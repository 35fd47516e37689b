/** From one stage to the next. Pure. */
import type { Reason } from "../../../protocol/job.ts";
import type { RolloutStage } from "../../../protocol/rollout.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import { hasFailed, isEnded, type RolloutRecord } from "./rollout.ts";

/** Why an operator's word is waited for between two stages. */
export const AWAITS_OPERATOR = "stage-pause-until-resumed";

/** Begins the stage that is due, ends the one that is done, and completes the rollout with the last. */
export function advance(rollout: RolloutRecord, now: EpochMs): RolloutRecord {
  const begun = begin(rollout, rollout.stage, now);
  if (begun.nodes.some((node) => node.stage <= begun.stage && !isEnded(node))) return begun;
  const done = end(begun, now);
  if (done.stage === done.stages.length - 1) return complete(done);
  const { pauseMs } = done.policy;
  if (pauseMs === null) {
    const message = `${stageName(done, done.stage)} is done. ${stageName(done, done.stage + 1)} waits until an operator resumes.`;
    return { ...done, status: "paused", reason: { code: AWAITS_OPERATOR, message } };
  }
  const endedAt = done.stages[done.stage]?.endedAt ?? now;
  if (now - endedAt >= pauseMs) return advance({ ...done, stage: done.stage + 1 }, now);
  const reason = {
    code: "stage-pause",
    message: `${stageName(done, done.stage)} is done. ${stageName(done, done.stage + 1)} begins after a pause of ${pauseMs / 1000} s.`,
  };
  return { ...done, reason: keepReason(done.reason, reason) };
}

/** Goes on to the stage that an operator's word was waited for. */
export const goOn = (rollout: RolloutRecord): RolloutRecord =>
  rollout.reason?.code === AWAITS_OPERATOR ? { ...rollout, stage: rollout.stage + 1 } : rollout;

const stageName = ({ stages }: RolloutRecord, stage: number): string =>
  `Stage ${stage + 1} of ${stages.length}`;

function begin(rollout: RolloutRecord, at: number, now: EpochMs): RolloutRecord {
  if (rollout.stages[at]?.status !== "pending") return rollout;
  return { ...rollout, stages: withStage(rollout, at, { status: "running", startedAt: now }) };
}

function end(rollout: RolloutRecord, now: EpochMs): RolloutRecord {
  const at = rollout.stage;
  if (rollout.stages[at]?.status === "done") return rollout;
  return { ...rollout, stages: withStage(rollout, at, { status: "done", endedAt: now }) };
}

/** A node is tried again: its stage is not done after all. */
export const reopen = (rollout: RolloutRecord, at: number): RolloutRecord =>
  rollout.stages[at]?.status === "done"
    ? { ...rollout, stages: withStage(rollout, at, { status: "running", endedAt: null }) }
    : rollout;

const withStage = ({ stages }: RolloutRecord, at: number, change: Partial<RolloutStage>): RolloutStage[] =>
  stages.map((stage, index) => (index === at ? { ...stage, ...change } : stage));

function complete(rollout: RolloutRecord): RolloutRecord {
  const { nodes, kind } = rollout;
  const failed = nodes.filter(hasFailed).length;
  const done = nodes.filter((node) => node.status === "succeeded").length;
  const skipped = nodes.filter((node) => node.status === "skipped").length;
  const what = kind === "rollback" ? "went back" : "were updated";
  const message = `${done} of ${nodes.length} nodes ${what}, ${skipped} skipped, ${failed} failed.`;
  return { ...rollout, status: "completed", reason: { code: "completed", message } };
}

export const keepReason = (before: Reason | null, after: Reason | null): Reason | null =>
  before?.code === after?.code && before?.message === after?.message ? before : after;
