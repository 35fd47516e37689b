/** How many nodes stand where, and how many more may fail. Pure. */
import type { RolloutCounts } from "../../../protocol/rollout.ts";
import { unitsOf } from "./places.ts";
import { isEnded, type RolloutRecord } from "./rollout.ts";

/** Where the nodes of one stage stand. */
export type StageTally = RolloutCounts & {
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
  const sum = (key: keyof RolloutCounts) => tallies.reduce((total, tally) => total + tally[key], 0);
  return {
    pending: sum("pending"),
    preparing: sum("preparing"),
    updating: sum("updating"),
    succeeded: sum("succeeded"),
    failed: sum("failed"),
    rolledBack: sum("rolledBack"),
    skipped: sum("skipped"),
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

/**
 * How many nodes must go one after the other until the end: a stage after the other, a group's nodes too, of the rest
 * as many at once as may.
 */
export function roundsLeft(
  rollout: Pick<RolloutRecord, "nodes" | "stages" | "quorumGroups" | "policy">,
): number {
  const units = unitsOf(rollout);
  const stages = rollout.stages.map(() => ({ open: 0, longest: 0, groups: new Map<string, number>() }));
  for (const node of rollout.nodes) {
    const stage = stages[node.stage];
    if (stage === undefined || isEnded(node)) continue;
    const inUnit = units.isQuorum(node) ? (stage.groups.get(node.group) ?? 0) + 1 : 1;
    if (units.isQuorum(node)) stage.groups.set(node.group, inUnit);
    stage.open += 1;
    stage.longest = Math.max(stage.longest, inUnit);
  }
  const { concurrency } = rollout.policy;
  return stages.reduce((sum, { open, longest }) => sum + Math.max(longest, Math.ceil(open / concurrency)), 0);
}

export const sameCounts = (a: RolloutCounts, b: RolloutCounts): boolean =>
  (Object.keys(a) as (keyof RolloutCounts)[]).every((key) => a[key] === b[key]);
