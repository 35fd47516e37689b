/** When a rollout is to stop by itself. Pure. */
import type { Reason } from "../../../protocol/job.ts";
import type { NodeId } from "../../../protocol/names.ts";
import { unitsOf } from "./places.ts";
import { because, count, lasting, listed, NODE_OFFLINE } from "./reasons.ts";
import {
  type Fleet,
  hasFailed,
  holdsLease,
  isEnded,
  isLookedAt,
  nodeIn,
  type Place,
  type RolloutRecord,
  type Surroundings,
} from "./rollout.ts";
import { budgetOf, isOver, tallyOf } from "./tally.ts";

/** Why the rollout cannot be gone on with at all; null while it can. */
export function whyFail(rollout: RolloutRecord, fleet: Fleet, { published }: Surroundings): Reason | null {
  if (published || rollout.kind === "rollback" || rollout.status !== "running") return null;
  if (!rollout.nodes.some((node) => !isEnded(node) && !holdsLease(fleet, node))) return null;
  return because(
    "release-withdrawn",
    `${rollout.release} is not published any more, so nobody else is brought to it. Once it is again, retry; or begin a rollout of another release.`,
  );
}

/** Too many have failed: in any stage that has begun, as each result comes in. */
export function whyFailures(rollout: RolloutRecord): Reason | null {
  const { threshold } = rollout.policy;
  const budgets = tallyOf(rollout).map((tally) => ({ all: tally.all, ...budgetOf(tally, threshold) }));
  const stage = budgets.findIndex((budget, at) => at <= rollout.stage && isOver(budget));
  const budget = budgets[stage];
  if (budget === undefined) return null;
  const failed = rollout.nodes.filter((node) => node.stage === stage && hasFailed(node));
  const why = failed.map((node) => `${node.name} (${node.reason?.message ?? "no reason given"})`);
  const bound =
    budget.first || budget.allowed === 0
      ? "the first failure"
      : `more than ${count(budget.allowed, "failure")}`;
  const where = rollout.stages.length === 1 ? "" : ` of stage ${stage + 1}`;
  return because(
    "failures",
    `Halted at ${bound}: ${budget.failed} of ${count(budget.all, "node")}${where}: ${listed(why, 3)}`,
  );
}

/**
 * Who is away, and nobody waits for anything else: its turn would come. Those at the front: in the first units, who is
 * at work counted first, of which there may be as many as the concurrency allows. A closed gate keeps turns from coming.
 */
export function awayAtTheFront(
  rollout: RolloutRecord,
  fleet: Fleet,
  { offlineAfterMs }: Surroundings,
): ReadonlySet<NodeId> {
  const away = new Set<NodeId>();
  if (rollout.status !== "running") return away;
  const open = rollout.nodes.filter((node) => isLookedAt(rollout, node));
  const isAway = (node: Place): boolean => {
    const seen = nodeIn(fleet, node.nodeId);
    return seen !== null && seen.gate === null && (seen.offlineForMs ?? -1) >= offlineAfterMs;
  };
  if (!open.some(isAway)) return away;
  const units = unitsOf(rollout);
  const busy = new Set<string>();
  for (const node of open) {
    if (node.status === "updating" || holdsLease(fleet, node)) busy.add(units.of(node));
  }
  const front = new Set<string>();
  for (const node of open) {
    const unit = units.of(node);
    if (busy.has(unit)) continue;
    if (!front.has(unit) && busy.size + front.size >= rollout.policy.concurrency) continue;
    front.add(unit);
    if (isAway(node)) away.add(node.nodeId);
  }
  return away;
}

/**
 * The rollout is to halt for who is away. One of a quorum group is waited for in vain as soon as its group's turn would
 * come; independent nodes go past each other, so all that are left must be away.
 */
export function whyAway(
  rollout: RolloutRecord,
  away: ReadonlySet<NodeId>,
  fleet: Fleet,
  { offlineAfterMs }: Surroundings,
): Reason | null {
  if (rollout.policy.offline !== "halt" || away.size === 0) return null;
  const nodes = rollout.nodes.filter((node) => away.has(node.nodeId));
  const needed = nodes.filter(unitsOf(rollout).isQuorum);
  if (needed.length === 0 && !isEverybodyAway(rollout, fleet, offlineAfterMs)) return null;
  const names = listed((needed.length > 0 ? needed : nodes).map((node) => node.name));
  return because(
    NODE_OFFLINE,
    `Halted since ${names} went offline before being updated, more than ${lasting(offlineAfterMs)} ago.`,
  );
}

const isEverybodyAway = (rollout: RolloutRecord, fleet: Fleet, offlineAfterMs: number): boolean =>
  rollout.nodes.every((node) => {
    if (!isLookedAt(rollout, node)) return true;
    const seen = nodeIn(fleet, node.nodeId);
    return seen?.lease === null && seen.gate === null && (seen.offlineForMs ?? -1) >= offlineAfterMs;
  });
