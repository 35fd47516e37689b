/** How many nodes stand where, and how many more may fail. Pure. */
import type { RolloutCounts } from "../../../protocol/rollout.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import { hasFailed, isQuorum, type Place, type RolloutRecord } from "./rollout.ts";

/** When the last of them ended; null while none has. */
export const progressOf = (nodes: readonly Place[]): EpochMs | null =>
  nodes.reduce<EpochMs | null>(
    (last, { left, endedAt }) =>
      left === true || endedAt === null || (last !== null && last >= endedAt) ? last : endedAt,
    null,
  );

export function countsOf(nodes: readonly Place[]): RolloutCounts {
  const counts = {
    pending: 0,
    preparing: 0,
    updating: 0,
    succeeded: 0,
    failed: 0,
    rolledBack: 0,
    skipped: 0,
  };
  for (const { status } of nodes) counts[status === "rolled-back" ? "rolledBack" : status] += 1;
  return counts;
}

/** The share of independent nodes that may fail unless the policy says otherwise. */
export const USUAL_THRESHOLD = 0.3;

type Budgeted = Pick<RolloutRecord, "policy" | "quorumGroups" | "stage" | "nodes">;
export type Budget = { readonly failed: number; readonly allowed: number };

/**
 * The failures of a stage against what it may have: halting is for more than `allowed`. With the usual threshold none
 * may fail in a quorum group, and 0.3 of the others; `quorum` is the count that must stay 0.
 */
export function budgetOf(
  rollout: Budgeted,
  stage: number = rollout.stage,
): Budget & { readonly quorum: number } {
  const own = rollout.nodes.filter((node) => node.stage === stage && node.left !== true);
  const failed = own.filter(hasFailed);
  const { threshold } = rollout.policy;
  if (threshold !== null)
    return { failed: failed.length, allowed: allowedOf(threshold, own.length), quorum: 0 };
  const independent = own.filter((node) => !isQuorum(rollout, node));
  return {
    failed: failed.length,
    allowed: allowedOf(USUAL_THRESHOLD, independent.length),
    quorum: failed.filter((node) => isQuorum(rollout, node)).length,
  };
}

/** The most failures whose share of `nodes` is not above the threshold. */
const allowedOf = (threshold: number, nodes: number): number => Math.floor(threshold * nodes + 1e-9);
