import type { Reason } from "../../../protocol/job.ts";
import type { NodeId } from "../../../protocol/names.ts";
import type { RolloutNode } from "../../../protocol/rollout.ts";
import { type Fleet, type FleetNode, isEnded, type RolloutPolicy, type RolloutRecord } from "./rollout.ts";

/** Whose turn it is, and for everybody else why not. */
export type Turns = {
  readonly turns: readonly NodeId[];
  readonly waiting: ReadonlyMap<NodeId, Reason>;
};

/**
 * Gives turns: who holds a lease keeps it; beyond that the first that is ready, never the leader of a quorum group
 * while another is still to go. A turn that was given and not yet used moves on when its node becomes the leader
 * or goes away.
 */
export function giveTurns(
  rollout: Pick<RolloutRecord, "mode">,
  nodes: readonly RolloutNode[],
  fleet: Fleet,
  policy: RolloutPolicy,
): Turns {
  const waiting = new Map<NodeId, Reason>();
  const open = nodes.filter((node) => !isEnded(node));
  const turns = open.filter((node) => fleet.get(node.nodeId)?.lease != null).map((node) => node.nodeId);
  const leaders = rollout.mode === "quorum" ? leadersOf(fleet) : null;
  const queue = open
    .filter((node) => !turns.includes(node.nodeId))
    .sort((a, b) => Number(b.status === "updating") - Number(a.status === "updating"));
  for (const node of queue) {
    const seen = fleet.get(node.nodeId);
    const reason =
      notReady(seen) ??
      notItsPlace(node, open, fleet, leaders) ??
      (turns.length < policy.concurrency ? null : behind(nodes, turns));
    if (reason === null) turns.push(node.nodeId);
    else waiting.set(node.nodeId, reason);
  }
  return { turns, waiting };
}

/** Null when no node of the group ever reported a role: then there is no leader rule. */
function leadersOf(fleet: Fleet): readonly NodeId[] | null {
  const seen = [...fleet];
  if (!seen.some(([, node]) => node.reportsRole)) return null;
  return seen.filter(([, node]) => node.role === "leader").map(([id]) => id);
}

function notReady(seen: FleetNode | undefined): Reason | null {
  if (seen?.job == null) return { code: "no-job", message: "It has no job yet." };
  if (seen.presence === "offline") return { code: "node-offline", message: "It is offline." };
  if (seen.presence === "unknown") {
    return { code: "not-heard", message: "It has not been heard since the coordinator started." };
  }
  return seen.job.prepared ? null : { code: "preparing", message: "It fetches and tests the new build." };
}

function notItsPlace(
  node: RolloutNode,
  open: readonly RolloutNode[],
  fleet: Fleet,
  leaders: readonly NodeId[] | null,
): Reason | null {
  if (leaders === null) return null;
  const before = open.filter((other) => other !== node && fleet.get(other.nodeId)?.role !== "leader");
  if (leaders.includes(node.nodeId) && before.length > 0) {
    const names = before.map((other) => other.name).join(", ");
    return { code: "leader-last", message: `It is the leader and goes last, after ${names}.` };
  }
  return null;
}

function behind(nodes: readonly RolloutNode[], turns: readonly NodeId[]): Reason {
  const names = nodes.filter((node) => turns.includes(node.nodeId)).map((node) => node.name);
  return { code: "not-your-turn", message: `It is ready and waits for ${names.join(", ")}.` };
}
