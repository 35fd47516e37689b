/** Whose turn it is. Pure. */
import type { Reason } from "../../../protocol/job.ts";
import type { NodeId } from "../../../protocol/names.ts";
import {
  type Fleet,
  type FleetNode,
  hasBegun,
  isEnded,
  isQuorum,
  type Place,
  type RolloutRecord,
  unitOf,
} from "./rollout.ts";

/** Whose turn it is, and for everybody else of the stages begun why not. */
export type Turns = {
  readonly turns: ReadonlySet<NodeId>;
  readonly waiting: ReadonlyMap<NodeId, Reason>;
};

/**
 * Gives turns: who holds a lease keeps it; beyond that the first that is ready, one per group, in at most
 * `concurrency` groups at once, never the leader of a quorum group while another is still to go. A turn that was given
 * and not yet used moves on when its node becomes the leader, goes away, or its window closes.
 */
export function giveTurns(rollout: RolloutRecord, fleet: Fleet): Turns {
  const waiting = new Map<NodeId, Reason>();
  const open = rollout.nodes.filter((node) => hasBegun(rollout, node) && !isEnded(node));
  const { turns, busy } = underWay(rollout, open, fleet);
  const units = membersOf(rollout, open);
  const queue = open
    .filter((node) => !turns.has(node.nodeId))
    .sort((a, b) => Number(b.status === "updating") - Number(a.status === "updating"));
  for (const node of queue) {
    const unit = unitOf(rollout, node);
    const members = units.get(unit) ?? [];
    const seen = fleet.get(node.nodeId);
    const reason =
      notReady(seen, rollout) ??
      notItsPlace(rollout, node, members, fleet) ??
      (busy.has(unit) ? behind(members, turns) : full(busy.size, rollout.policy.concurrency));
    if (reason === null) {
      turns.add(node.nodeId);
      busy.add(unit);
    } else waiting.set(node.nodeId, reason);
  }
  return { turns, waiting };
}

/** Nobody begins anything now: only who holds a lease goes on. */
export function holdTurns(rollout: RolloutRecord, fleet: Fleet, why: Reason): Turns {
  const open = rollout.nodes.filter((node) => hasBegun(rollout, node) && !isEnded(node));
  const { turns } = underWay(rollout, open, fleet);
  const waiting = open.filter((node) => !turns.has(node.nodeId)).map((node) => [node.nodeId, why] as const);
  return { turns, waiting: new Map(waiting) };
}

function underWay(rollout: RolloutRecord, open: readonly Place[], fleet: Fleet) {
  const holding = open.filter((node) => fleet.get(node.nodeId)?.lease != null);
  return {
    turns: new Set(holding.map((node) => node.nodeId)),
    busy: new Set(holding.map((node) => unitOf(rollout, node))),
  };
}

function membersOf(rollout: RolloutRecord, open: readonly Place[]): ReadonlyMap<string, readonly Place[]> {
  const units = new Map<string, Place[]>();
  for (const node of open) {
    const unit = unitOf(rollout, node);
    const members = units.get(unit);
    if (members === undefined) units.set(unit, [node]);
    else members.push(node);
  }
  return units;
}

function notReady(seen: FleetNode | undefined, { kind }: RolloutRecord): Reason | null {
  if (seen?.job == null) return { code: "no-job", message: "It has no job yet." };
  if (seen.presence === "offline") return { code: "node-offline", message: "It is offline." };
  if (seen.presence === "unknown") {
    return { code: "not-heard", message: "It has not been heard since the coordinator started." };
  }
  if (seen.gate !== null) return seen.gate;
  if (seen.job.prepared) return null;
  const message = kind === "rollback" ? "It gets ready to go back." : "It fetches and tests the new build.";
  return { code: "preparing", message };
}

function notItsPlace(
  rollout: RolloutRecord,
  node: Place,
  members: readonly Place[],
  fleet: Fleet,
): Reason | null {
  if (!isQuorum(rollout, node)) return null;
  return behindTheIll(rollout, node, members, fleet) ?? leaderLast(node, members, fleet);
}

/** Until it is mended the group can spare nobody else. */
function behindTheIll(
  { allowUnhealthy }: RolloutRecord,
  node: Place,
  members: readonly Place[],
  fleet: Fleet,
): Reason | null {
  const goesFirst = ({ nodeId }: Place) =>
    allowUnhealthy.includes(nodeId) && fleet.get(nodeId)?.role !== "leader";
  if (allowUnhealthy.length === 0 || goesFirst(node)) return null;
  const ill = members.find(goesFirst);
  return ill === undefined
    ? null
    : { code: "not-your-turn", message: `It waits for ${ill.name}, which was ill and goes first.` };
}

function leaderLast(node: Place, members: readonly Place[], fleet: Fleet): Reason | null {
  const roleOf = (place: Place) => fleet.get(place.nodeId)?.role ?? null;
  const leads = roleOf(node) === "leader";
  // Without a role it may lead as well, as far as nobody else of those still to go says that it does.
  const mayLead =
    fleet.get(node.nodeId)?.reportsRole === false && !members.some((each) => roleOf(each) === "leader");
  if (!leads && !mayLead) return null;
  const before = members.filter(
    (other) => other !== node && (leads ? roleOf(other) !== "leader" : roleOf(other) !== null),
  );
  if (before.length === 0) return null;
  const names = before.map((other) => other.name).join(", ");
  const why = leads ? "It is the leader and" : "It reports no role, may be the leader and";
  return { code: "leader-last", message: `${why} goes last, after ${names}.` };
}

function behind(members: readonly Place[], turns: ReadonlySet<NodeId>): Reason {
  const names = members.filter((node) => turns.has(node.nodeId)).map((node) => node.name);
  return { code: "not-your-turn", message: `It is ready and waits for ${names.join(", ")}.` };
}

const full = (busy: number, concurrency: number): Reason | null =>
  busy < concurrency
    ? null
    : {
        code: "not-your-turn",
        message: `It is ready and waits: ${concurrency} ${concurrency === 1 ? "group is" : "groups are"} at work, which is as many as may be.`,
      };
