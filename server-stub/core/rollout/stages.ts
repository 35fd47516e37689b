/** From one stage to the next. Pure. */
import type { RolloutStage } from "../../../protocol/rollout.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import { beginPause, countPause } from "./pause.ts";
import { because, count, keepReason, lasting, stageName } from "./reasons.ts";
import type { RolloutRecord, Time } from "./rollout.ts";
import { type StageTally, tallyOf } from "./tally.ts";

/**
 * Begins the stage that is due, ends those that are done, and completes the rollout with the last. The next stage
 * begins when all before it are done and the pause is over.
 */
export function advance(rollout: RolloutRecord, time: Time): RolloutRecord {
  const tallies = tallyOf(rollout);
  const begun = endDone(begin(rollout, time.wallMs), tallies, time.wallMs);
  if (begun.stages.some((stage, at) => at <= begun.stage && stage.status !== "done")) return begun;
  if (begun.stage >= begun.stages.length - 1) return complete(begun);
  const pause = countPause(begun.pause ?? beginPause(begun.policy.pauseMs, time.nowMs), time.nowMs);
  if (pause.leftMs !== null && pause.leftMs <= 0) {
    return advance({ ...begun, stage: begun.stage + 1, pause: null }, time);
  }
  return paused(pause === begun.pause ? begun : { ...begun, pause });
}

/** Says how long the next stage waits. One that waits for an operator's word is paused like by that operator. */
function paused(rollout: RolloutRecord): RolloutRecord {
  const { pauseMs } = rollout.policy;
  const is = `${stageName(rollout, rollout.stage)} is done. Stage ${rollout.stage + 2}`;
  if (rollout.pause?.leftMs == null || pauseMs === null) {
    const reason = because("stage-pause-until-resumed", `${is} waits until an operator resumes.`);
    return { ...rollout, status: "paused", reason };
  }
  const reason = because("stage-pause", `${is} begins after a pause of ${lasting(pauseMs)}.`);
  return { ...rollout, reason: keepReason(rollout.reason, reason) };
}

function begin(rollout: RolloutRecord, wallMs: EpochMs): RolloutRecord {
  if (rollout.stages[rollout.stage]?.status !== "pending") return rollout;
  return withStages(rollout, (stage, at) =>
    at === rollout.stage ? { ...stage, status: "running", startedAt: wallMs } : stage,
  );
}

function endDone(rollout: RolloutRecord, tallies: readonly StageTally[], wallMs: EpochMs): RolloutRecord {
  return withStages(rollout, (stage, at) => {
    const tally = tallies[at];
    const done = stage.status === "running" && tally !== undefined && tally.ended === tally.all;
    return done ? { ...stage, status: "done", endedAt: wallMs } : stage;
  });
}

/** Nodes of these stages are tried again: they are not done after all, and what comes after them waits anew. */
export function reopen(rollout: RolloutRecord, stages: ReadonlySet<number>): RolloutRecord {
  if (stages.size === 0) return rollout;
  const opened = withStages(rollout, (stage, at) =>
    stages.has(at) && stage.status === "done" ? { ...stage, status: "running", endedAt: null } : stage,
  );
  return { ...opened, pause: null };
}

/** A rollout that was cancelled has no stage at work any more. */
export const endStages = (rollout: RolloutRecord, wallMs: EpochMs): RolloutRecord =>
  withStages(rollout, (stage) =>
    stage.status === "running" ? { ...stage, status: "done", endedAt: wallMs } : stage,
  );

/** The same object when every stage is. */
export function withStages(
  rollout: RolloutRecord,
  change: (stage: RolloutStage, at: number) => RolloutStage,
): RolloutRecord {
  const stages = rollout.stages.map(change);
  return stages.every((stage, at) => stage === rollout.stages[at]) ? rollout : { ...rollout, stages };
}

function complete(rollout: RolloutRecord): RolloutRecord {
  const { nodes, kind } = rollout;
  const tallies = tallyOf(rollout);
  const sum = (of: (tally: StageTally) => number) => tallies.reduce((total, tally) => total + of(tally), 0);
  const done = sum((tally) => tally.succeeded);
  const verb = kind === "rollback" ? "went back" : done === 1 ? "was updated" : "were updated";
  const failed = sum((tally) => tally.failed + tally.rolledBack);
  const message = `${done} of ${count(nodes.length, "node")} ${verb}, ${sum((tally) => tally.skipped + tally.left)} skipped, ${failed} failed.`;
  return { ...rollout, status: "completed", pause: null, reason: because("completed", message) };
}
