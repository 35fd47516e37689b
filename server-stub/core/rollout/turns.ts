/** Whose turn it is. Pure. */
import type { Reason } from "../../../protocol/job.ts";
import type { NodeId } from "../../../protocol/names.ts";
import { type Units, unitsOf } from "./places.ts";
import { because, count, listed, NODE_OFFLINE } from "./reasons.ts";
import {
  type Fleet,
  type FleetNode,
  holdsLease,
  isLookedAt,
  nodeIn,
  type Place,
  type RolloutRecord,
} from "./rollout.ts";

/** Whose turn it is, and for everybody else of the stages begun why not. */
export type Turns = {
  readonly turns: ReadonlySet<NodeId>;
  readonly waiting: ReadonlyMap<NodeId, Reason>;
};

/**
 * Gives turns: who holds a lease keeps it; beyond that the first that is ready and would be given the lease, one per
 * group, in at most `concurrency` groups at once, never the leader of a quorum group while another is still to go. A
 * turn that was given and not yet used moves on when its node becomes the leader, goes away, its group cannot spare it,
 * or its window closes: whoever cannot go holds nobody else up.
 */
export function giveTurns(rollout: RolloutRecord, fleet: Fleet): Turns {
  const units = unitsOf(rollout);
  const { open, turns, busy } = underWay(rollout, fleet, units);
  const members = Map.groupBy(open, units.of);
  const { concurrency } = rollout.policy;
  const isFull = full(concurrency);
  const queue = [...open.filter(isGiven), ...open.filter((node) => !isGiven(node))].filter(
    (node) => !turns.has(node.nodeId),
  );
  const notYet = new Map<NodeId, Reason>();
  for (const node of queue) {
    const seen = nodeIn(fleet, node.nodeId);
    const own = members.get(units.of(node)) ?? [];
    const reason =
      notReady(seen, rollout) ?? (units.isQuorum(node) ? notItsPlace(rollout, node, own, fleet) : null);
    if (reason !== null) notYet.set(node.nodeId, reason);
    else if (busy.size < concurrency && !busy.has(units.of(node)) && seen?.denied === null) {
      turns.add(node.nodeId);
      busy.add(units.of(node));
    }
  }
  // What keeps somebody from going is said of how it is in the end, or the next look would say something else.
  const waiting = new Map<NodeId, Reason>();
  let asked = 0;
  for (const node of queue) {
    if (turns.has(node.nodeId)) continue;
    const own = members.get(units.of(node)) ?? [];
    let reason = notYet.get(node.nodeId) ?? (busy.has(units.of(node)) ? behind(own, turns) : null);
    if (reason === null && (asked < ASKED_OF_THE_REST || busy.size < concurrency)) {
      asked += 1;
      reason = nodeIn(fleet, node.nodeId)?.denied ?? null;
    }
    waiting.set(node.nodeId, reason ?? isFull);
  }
  return { turns, waiting };
}

/** Of so many of those that would have to wait anyway it is said what else keeps them: to ask costs time. */
const ASKED_OF_THE_REST = 50;

const isGiven = (node: Place): boolean => node.status === "updating";

/** Nobody begins anything now: only who holds a lease goes on. */
export function holdTurns(rollout: RolloutRecord, fleet: Fleet, why: Reason): Turns {
  const { open, turns } = underWay(rollout, fleet, unitsOf(rollout));
  const waiting = open.filter((node) => !turns.has(node.nodeId)).map((node) => [node.nodeId, why] as const);
  return { turns, waiting: new Map(waiting) };
}

function underWay(rollout: RolloutRecord, fleet: Fleet, units: Units) {
  const open = rollout.nodes.filter((node) => isLookedAt(rollout, node));
  const holding = open.filter((node) => holdsLease(fleet, node));
  return {
    open,
    turns: new Set(holding.map((node) => node.nodeId)),
    busy: new Set(holding.map(units.of)),
  };
}

const NO_JOB = because("no-job", "It has no job yet.");
const OFFLINE = because(NODE_OFFLINE, "It is offline.");
const NOT_HEARD = because("not-heard", "It has not been heard since the coordinator started.");
const GETS_READY = {
  update: because("preparing", "It fetches and tests the new build."),
  rollback: because("preparing", "It gets ready to go back."),
};

function notReady(seen: FleetNode | null, { kind }: RolloutRecord): Reason | null {
  if (seen === null || seen.job === null) return NO_JOB;
  if (seen.presence === "offline") return OFFLINE;
  if (seen.presence === "unknown") return NOT_HEARD;
  if (seen.job.prepared) return seen.gate;
  // A job that came back from a lease without an answer says why.
  return seen.job.status === "queued" && seen.job.reason !== null ? seen.job.reason : GETS_READY[kind];
}

function notItsPlace(
  rollout: RolloutRecord,
  node: Place,
  members: readonly Place[],
  fleet: Fleet,
): Reason | null {
  return behindTheIll(rollout, node, members, fleet) ?? leaderLast(node, members, fleet);
}

/** Until it is mended the group can spare nobody else. */
function behindTheIll(
  { allowUnhealthy }: RolloutRecord,
  node: Place,
  members: readonly Place[],
  fleet: Fleet,
): Reason | null {
  if (allowUnhealthy.length === 0) return null;
  const goesFirst = ({ nodeId }: Place) =>
    allowUnhealthy.includes(nodeId) && nodeIn(fleet, nodeId)?.role !== "leader";
  const ill = goesFirst(node) ? undefined : members.find(goesFirst);
  if (ill === undefined) return null;
  return because("not-your-turn", `It waits for ${ill.name}, which was ill and goes first.`);
}

function leaderLast(node: Place, members: readonly Place[], fleet: Fleet): Reason | null {
  const roleOf = (place: Place) => nodeIn(fleet, place.nodeId)?.role ?? null;
  const leads = roleOf(node) === "leader";
  // Without a role it may lead as well, as far as nobody else of those still to go says that it does.
  const mayLead =
    nodeIn(fleet, node.nodeId)?.reportsRole === false && !members.some((each) => roleOf(each) === "leader");
  if (!leads && !mayLead) return null;
  const before = members.filter(
    (other) => other !== node && (leads ? roleOf(other) !== "leader" : roleOf(other) !== null),
  );
  if (before.length === 0) return null;
  const why = leads ? "It is the leader and" : "It reports no role, may be the leader and";
  return because("leader-last", `${why} goes last, after ${listed(before.map((other) => other.name))}.`);
}

function behind(members: readonly Place[], turns: ReadonlySet<NodeId>): Reason {
  const names = members.filter((node) => turns.has(node.nodeId)).map((node) => node.name);
  return because("not-your-turn", `It is ready and waits for ${listed(names)}.`);
}

function full(concurrency: number): Reason {
  const groups = count(concurrency, "group is", "groups are");
  return because("not-your-turn", `It is ready and waits: ${groups} at work, which is as many as may be.`);
}
