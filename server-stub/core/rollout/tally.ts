/** How many nodes stand where, and how many more may fail. Pure. */
import type { RolloutCounts } from "../../../protocol/rollout.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import { unitsOf } from "./places.ts";
import { isEnded, type Place, type RolloutRecord } from "./rollout.ts";

/** Where the nodes of one stage stand; those that were left out before it began are counted apart. */
export type StageTally = RolloutCounts & {
  readonly left: number;
  readonly all: number;
  readonly ended: number;
  /** Of `failed` and `rolledBack`, those in quorum groups. */
  readonly quorumFailed: number;
  /** Nodes that stand for themselves. */
  readonly independent: number;
};

type Counted = { -readonly [key in keyof StageTally]: number };

const nothing = (): Counted => ({
  pending: 0,
  preparing: 0,
  updating: 0,
  succeeded: 0,
  failed: 0,
  rolledBack: 0,
  skipped: 0,
  left: 0,
  all: 0,
  ended: 0,
  quorumFailed: 0,
  independent: 0,
});

/** By stage, in one go over all places. */
export function tallyOf(
  rollout: Pick<RolloutRecord, "nodes" | "stages" | "quorumGroups">,
): readonly StageTally[] {
  const tallies = rollout.stages.map(nothing);
  const units = unitsOf(rollout);
  for (const node of rollout.nodes) {
    const tally = tallies[node.stage];
    if (tally === undefined) continue;
    if (node.left === true) {
      tally.left += 1;
      continue;
    }
    const quorum = units.isQuorum(node);
    tally[node.status === "rolled-back" ? "rolledBack" : node.status] += 1;
    tally.all += 1;
    if (isEnded(node)) tally.ended += 1;
    if (!quorum) tally.independent += 1;
    else if (node.status === "failed" || node.status === "rolled-back") tally.quorumFailed += 1;
  }
  return tallies;
}

export function countsOf(tallies: readonly StageTally[]): RolloutCounts {
  const sum = (key: keyof StageTally) => tallies.reduce((total, tally) => total + tally[key], 0);
  return {
    pending: sum("pending"),
    preparing: sum("preparing"),
    updating: sum("updating"),
    succeeded: sum("succeeded"),
    failed: sum("failed"),
    rolledBack: sum("rolledBack"),
    skipped: sum("skipped") + sum("left"),
  };
}

/** The share of independent nodes that may fail unless the policy says otherwise. */
export const USUAL_THRESHOLD = 0.3;

export type Budget = { readonly failed: number; readonly allowed: number };

/**
 * The failures of a stage against what it may have. A threshold is a share of all nodes that the stage added, those that
 * were skipped too. Without one, 0.3 of its independent nodes may fail and none of a quorum group: `first` says that
 * the latter has happened.
 */
export function budgetOf(
  tally: StageTally,
  threshold: RolloutRecord["policy"]["threshold"],
): Budget & { readonly first: boolean } {
  const failed = tally.failed + tally.rolledBack;
  if (threshold !== null) return { failed, allowed: allowedOf(threshold, tally.all), first: false };
  return { failed, allowed: allowedOf(USUAL_THRESHOLD, tally.independent), first: tally.quorumFailed > 0 };
}

/** Halting is for strictly more than may fail. */
export const isOver = ({ failed, allowed, first }: ReturnType<typeof budgetOf>): boolean =>
  first || failed > allowed;

/** The most failures whose share of `nodes` is not above the threshold: 0.3 of ten is three, whatever 0.3 * 10 is. */
const allowedOf = (threshold: number, nodes: number): number => Math.floor(threshold * nodes + 1e-9);

/** When the last of them ended; null while none has. */
export function progressOf(nodes: readonly Place[]): EpochMs | null {
  let last: EpochMs | null = null;
  for (const { left, endedAt } of nodes) {
    if (left !== true && endedAt !== null && (last === null || endedAt > last)) last = endedAt;
  }
  return last;
}

export const sameCounts = (a: RolloutCounts, b: RolloutCounts): boolean =>
  (Object.keys(a) as (keyof RolloutCounts)[]).every((key) => a[key] === b[key]);
