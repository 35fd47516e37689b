/** When a rollout is to halt by itself. Pure. */
import type { Reason } from "../../../protocol/job.ts";
import {
  type Fleet,
  hasBegun,
  hasFailed,
  isEnded,
  isQuorum,
  type Place,
  type RolloutLimits,
  type RolloutRecord,
} from "./rollout.ts";
import { budgetOf } from "./tally.ts";

/** Null while it may go on. */
export const whyHalt = (rollout: RolloutRecord, fleet: Fleet, limits: RolloutLimits): Reason | null =>
  whyFailures(rollout) ?? whyAway(rollout, fleet, limits);

function whyFailures(rollout: RolloutRecord): Reason | null {
  const begun = rollout.stages.slice(0, rollout.stage + 1);
  const over = begun.findIndex((_, stage) => {
    const { failed, allowed, quorum } = budgetOf(rollout, stage);
    return failed > allowed || quorum > 0;
  });
  if (over === -1) return null;
  const own = rollout.nodes.filter((node) => node.stage === over);
  const failed = own.filter(hasFailed);
  const names = failed.map((node) => `${node.name} (${node.reason?.message ?? "no reason given"})`);
  const shown = names.slice(0, 3).join(", ");
  const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
  return {
    code: "failures",
    message:
      `Halted at ${boundOf(rollout, over)}: ${failed.length} of ${own.length} nodes${inStage(rollout, over)}: ${shown}${more}`.slice(
        0,
        2000,
      ),
  };
}

const inStage = ({ stages }: RolloutRecord, stage: number): string =>
  stages.length === 1 ? "" : ` of stage ${stage + 1}`;

function boundOf(rollout: RolloutRecord, stage: number): string {
  const { allowed, quorum } = budgetOf(rollout, stage);
  if (quorum > 0 || allowed === 0) return "the first failure";
  return `more than ${allowed} ${allowed === 1 ? "failure" : "failures"}`;
}

/**
 * A node that must still go has been away for long, and nobody is at work meanwhile. One of a quorum group is waited
 * for in vain at once; of independent nodes all must be away.
 */
function whyAway(rollout: RolloutRecord, fleet: Fleet, { offlineAfterMs }: RolloutLimits): Reason | null {
  if (rollout.policy.offline !== "halt") return null;
  const open = rollout.nodes.filter((node) => hasBegun(rollout, node) && !isEnded(node));
  if (open.some((node) => fleet.get(node.nodeId)?.lease != null)) return null;
  const away = open.filter((node) => isAway(node, fleet, offlineAfterMs));
  const needed = away.filter((node) => isQuorum(rollout, node));
  const blocking = needed.length > 0 ? needed : away.length === open.length ? away : [];
  if (blocking.length === 0) return null;
  const names = blocking.map((node) => node.name);
  const more = names.length > 5 ? ` and ${names.length - 5} more` : "";
  return {
    code: "node-offline",
    message: `Halted because ${names.slice(0, 5).join(", ")}${more} went offline before being updated.`,
  };
}

export const isAway = (node: Place, fleet: Fleet, offlineAfterMs: number): boolean =>
  (fleet.get(node.nodeId)?.offlineForMs ?? -1) >= offlineAfterMs;
