/** What a rollout says of its nodes, its stages and itself: a code that stays and a sentence for people. Pure. */
import { showBuild } from "../../../protocol/build.ts";
import type { Reason } from "../../../protocol/job.ts";
import type { Rollout } from "../../../protocol/rollout.ts";
import type { DurationMs } from "../../../protocol/time.ts";
import type { FleetNode, Place, RolloutRecord } from "./rollout.ts";
import type { StageTally } from "./tally.ts";

/** Its group's failure kept it from going. */
export const GROUP_STOPPED = "group-stopped";
export const NODE_OFFLINE = "node-offline";

export const because = (code: string, message: string): Reason => ({
  code,
  message: message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE - 1)}…` : message,
});

const MAX_MESSAGE = 2000;

export const sameReason = (a: Reason | null, b: Reason | null): boolean =>
  a === b || (a?.code === b?.code && a?.message === b?.message);

/** The reason before, when it says the same: what did not change is not stored. */
export const keepReason = (before: Reason | null, after: Reason | null): Reason | null =>
  sameReason(before, after) ? before : after;

/** "a, b, c and 7 more". */
export function listed(names: readonly string[], most = 5): string {
  if (names.length <= most) return names.join(", ");
  return `${names.slice(0, most).join(", ")} and ${names.length - most} more`;
}

export const count = (many: number, one: string, several = `${one}s`): string =>
  `${many} ${many === 1 ? one : several}`;

const UNITS = [
  [86_400_000, "day"],
  [3_600_000, "hour"],
  [60_000, "minute"],
  [1_000, "second"],
] as const;

/** A length of time as people say it: "10 seconds", "1 hour and 30 minutes". */
export function lasting(ms: DurationMs): string {
  const parts: string[] = [];
  let left = ms;
  for (const [unit, name] of UNITS) {
    const many = Math.floor(left / unit);
    left -= many * unit;
    if (many > 0) parts.push(count(many, name));
  }
  if (parts.length === 0) return `${ms} milliseconds`;
  return parts.slice(0, 2).join(" and ");
}

export const stageName = ({ stages }: Pick<Rollout, "stages">, stage: number): string =>
  stages.length === 1 ? "The only stage" : `Stage ${stage + 1} of ${stages.length}`;

/** Of a node whose stage has not begun. */
export const notBegun = (stages: number, stage: number): Reason =>
  because("stage-pending", `It is in stage ${stage + 1} of ${stages}, which has not begun.`);

/** Of a node that has its turn. */
export function withTurn({ group }: Place, lease: FleetNode["lease"], kind: Rollout["kind"]): Reason {
  if (lease === null) {
    return because("its-turn", `It has its turn, and has not taken the lease of ${group} yet.`);
  }
  if (lease === "reserved") {
    return because("reserved", `It has reserved the lease of ${group}, and gets ready to go down.`);
  }
  const build = kind === "rollback" ? "the build it goes back to" : "its new build";
  return because(
    "in-flight",
    `It holds the lease of ${group}: it restarts on ${build}, and has to prove itself.`,
  );
}

export function arrived({ from, to }: Place, kind: Rollout["kind"]): Reason {
  const moved = kind === "rollback" ? "It went back" : "It was updated";
  const left = from === null ? "" : ` from ${showBuild(from)}`;
  const there = to === null ? "" : ` to ${showBuild(to)}`;
  return because(kind === "rollback" ? "went-back" : "updated", `${moved}${left}${there}.`);
}

/** Of a stage, given where its nodes stand and what the whole is about. */
export function stageReason(rollout: RolloutRecord, stage: number, tally: StageTally): Reason {
  const status = rollout.stages[stage]?.status;
  if (status === "pending") return stagePending(rollout, stage);
  const failed = tally.failed + tally.rolledBack;
  if (status === "done") {
    const parts = [
      `${tally.succeeded} ${rollout.kind === "rollback" ? "went back" : "updated"}`,
      ...(tally.skipped > 0 ? [`${tally.skipped} skipped`] : []),
      ...(failed > 0 ? [`${failed} failed`] : []),
      ...(tally.pending > 0 ? [`${tally.pending} left as they were`] : []),
    ];
    return because("stage-done", `${count(tally.all, "node")}: ${parts.join(", ")}.`);
  }
  const turns = tally.updating === 0 ? "" : `, ${count(tally.updating, "has its turn", "have their turn")}`;
  const fails = failed === 0 ? "" : `, ${failed} failed`;
  const done = `${tally.ended} of ${count(tally.all, "node")} ${tally.ended === 1 ? "is" : "are"} done`;
  if (rollout.status === "running") return because("stage-running", `${done}${turns}${fails}.`);
  return because(rollout.status, `The rollout is ${rollout.status}; ${done}${turns}${fails}.`);
}

function stagePending(rollout: RolloutRecord, stage: number): Reason {
  if (rollout.status === "cancelled" || rollout.status === "failed") {
    return because(rollout.status, `It never began: the rollout ${WAS[rollout.status]}.`);
  }
  if (rollout.pause !== null && stage === rollout.stage + 1 && rollout.reason !== null) return rollout.reason;
  if (stage === 0) return because("stage-pending", "It has not begun.");
  return because("stage-pending", `It begins when stage ${stage} of ${rollout.stages.length} is done.`);
}

const WAS = { cancelled: "was cancelled", failed: "failed" } as const;
