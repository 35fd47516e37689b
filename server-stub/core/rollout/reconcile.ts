/**
 * The engine of a rollout: what is stored and what is seen, in; what to store, which jobs to open and close, out.
 * A pure function of its arguments, so any replica may run it, at any time, as often as it likes, and a restart
 * resumes. The caller stores all of the result in one conditional write, or none of it.
 *
 * Invariants: a node that has ended stays ended (a failure may still turn out to be a rollback); a turn is given
 * only while the rollout is running; cancelling and halting never touch who holds a lease.
 */
import type { Reason } from "../../../protocol/job.ts";
import type { JobId, NodeId } from "../../../protocol/names.ts";
import type { RolloutNode } from "../../../protocol/rollout.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import { progress, say } from "./node.ts";
import {
  type Fleet,
  hasFailed,
  isActiveRollout,
  isEnded,
  type RolloutPolicy,
  type RolloutRecord,
} from "./rollout.ts";
import { giveTurns } from "./turns.ts";

export type Reconciled = {
  /** The same object when nothing changed. */
  readonly rollout: RolloutRecord;
  /** Nodes that need a job now: the build to install is in `rollout.nodes`. */
  readonly open: readonly NodeId[];
  /** Jobs that are to be cancelled: they hold no lease. */
  readonly close: readonly { readonly jobId: JobId; readonly reason: Reason }[];
  readonly turns: readonly NodeId[];
};

export function reconcile(
  stored: RolloutRecord,
  fleet: Fleet,
  policy: RolloutPolicy,
  now: EpochMs,
): Reconciled {
  const running: RolloutRecord = stored.status === "pending" ? { ...stored, status: "running" } : stored;
  const progressed = running.nodes.map((node) => progress(node, fleet.get(node.nodeId), running, now));
  const nodes = progressed.map((each) => each.node);
  const halt = running.status === "running" ? whyHalt(running, nodes, fleet, policy) : null;
  if (halt !== null) return stop(stored, { ...running, nodes }, "halted", halt, fleet, now);
  // Whoever gave its lease back since without having acted is no longer under way: it is left as it was as well.
  if (running.status === "halted" || running.status === "cancelled") {
    const { status, reason } = running;
    return stop(stored, { ...running, nodes }, status, reason ?? STOPPED, fleet, now);
  }
  if (running.status !== "running") return settled(stored, { ...running, nodes }, fleet, now);
  if (nodes.every(isEnded)) return settled(stored, completed(running, nodes), fleet, now);
  const { turns, waiting } = giveTurns(running, nodes, fleet, policy);
  const placed = nodes.map((node) => place(node, turns, waiting));
  return {
    rollout: keep(stored, { ...running, nodes: placed, reason: overall(placed) }),
    open: progressed.filter((each) => each.open).map((each) => each.node.nodeId),
    close: [],
    turns,
  };
}

const STOPPED: Reason = { code: "stopped", message: "It was ended early." };

/**
 * Ends a rollout early: whoever holds a lease finishes, nobody else is touched. One that is over stays as it is, but
 * one that halted may still be cancelled.
 */
export function cancelRollout(stored: RolloutRecord, fleet: Fleet, by: string, now: EpochMs): Reconciled {
  if (!isActiveRollout(stored) && stored.status !== "halted") {
    return { rollout: stored, open: [], close: [], turns: [] };
  }
  const reason = { code: "cancelled", message: `Cancelled by ${by}.` };
  return stop(stored, stored, "cancelled", reason, fleet, now);
}

function stop(
  stored: RolloutRecord,
  rollout: RolloutRecord,
  status: "halted" | "cancelled",
  reason: Reason,
  fleet: Fleet,
  now: EpochMs,
): Reconciled {
  const close: { jobId: JobId; reason: Reason }[] = [];
  const nodes = rollout.nodes.map((node): RolloutNode => {
    if (isEnded(node) || fleet.get(node.nodeId)?.lease != null) return node;
    if (node.jobId !== null) close.push({ jobId: node.jobId, reason });
    return untouched(node, status, reason, now);
  });
  const next = settled(stored, { ...rollout, status, reason, nodes }, fleet, now);
  return { ...next, close };
}

function untouched(
  node: RolloutNode,
  status: "halted" | "cancelled",
  reason: Reason,
  now: EpochMs,
): RolloutNode {
  const message = `Left as it was. ${reason.message}`;
  if (status === "cancelled") {
    return { ...node, status: "skipped", reason: { code: "cancelled", message }, endedAt: now };
  }
  return { ...node, status: "pending", jobId: null, startedAt: null, reason: { code: "halted", message } };
}

/** An end is an end once nobody is under way any more. */
function settled(stored: RolloutRecord, rollout: RolloutRecord, fleet: Fleet, now: EpochMs): Reconciled {
  const underWay = rollout.nodes.filter((node) => !isEnded(node) && fleet.get(node.nodeId)?.lease != null);
  const isOver = rollout.status !== "paused" && underWay.length === 0;
  const endedAt = isOver ? (rollout.endedAt ?? now) : null;
  return {
    rollout: keep(stored, { ...rollout, endedAt }),
    open: [],
    close: [],
    turns: underWay.map((node) => node.nodeId),
  };
}

function whyHalt(
  rollout: RolloutRecord,
  nodes: readonly RolloutNode[],
  fleet: Fleet,
  policy: RolloutPolicy,
): Reason | null {
  const failed = nodes.filter(hasFailed);
  if (failed.length > 0 && failed.length / nodes.length > policy.threshold) {
    const names = failed.map((node) => `${node.name} (${node.reason?.message ?? "no reason given"})`);
    const bound =
      policy.threshold === 0 ? "the first failure" : `more than ${policy.threshold * 100} % failed`;
    return {
      code: "failures",
      message: `Halted at ${bound}: ${failed.length} of ${nodes.length} nodes: ${names.slice(0, 3).join(", ")}`,
    };
  }
  const open = nodes.filter((node) => !isEnded(node));
  if (open.some((node) => fleet.get(node.nodeId)?.lease != null)) return null;
  const away = open.filter((node) => (fleet.get(node.nodeId)?.offlineForMs ?? -1) >= policy.offlineHaltMs);
  const isBlocked =
    rollout.mode === "quorum" ? away.length > 0 : away.length > 0 && away.length === open.length;
  if (!isBlocked) return null;
  const names = away.map((node) => node.name).join(", ");
  return { code: "node-offline", message: `Halted because ${names} went offline before being updated.` };
}

function completed(rollout: RolloutRecord, nodes: RolloutNode[]): RolloutRecord {
  const failed = nodes.filter(hasFailed).length;
  const done = nodes.filter((node) => node.status === "succeeded").length;
  const skipped = nodes.filter((node) => node.status === "skipped").length;
  const message = `${done} of ${nodes.length} nodes were updated, ${skipped} skipped, ${failed} failed.`;
  return { ...rollout, nodes, status: "completed", reason: { code: "completed", message } };
}

function place(
  node: RolloutNode,
  turns: readonly NodeId[],
  waiting: ReadonlyMap<NodeId, Reason>,
): RolloutNode {
  if (isEnded(node)) return node;
  if (turns.includes(node.nodeId)) {
    return node.status === "updating" ? say(node, null) : { ...node, status: "updating", reason: null };
  }
  const status = node.status === "updating" ? "preparing" : node.status;
  const reason = node.jobId === null ? (node.reason ?? null) : (waiting.get(node.nodeId) ?? null);
  const said = say(node, reason);
  return said.status === status ? said : { ...said, status };
}

/** One sentence for the whole: who is at work, or what is waited for. */
function overall(nodes: readonly RolloutNode[]): Reason | null {
  const open = nodes.filter((node) => !isEnded(node));
  const updating = open.filter((node) => node.status === "updating").map((node) => node.name);
  if (updating.length > 0) return { code: "updating", message: `${updating.join(", ")} has its turn.` };
  const first = open.find((node) => node.reason !== null);
  const message = first?.reason == null ? "Its nodes get ready." : `${first.name}: ${first.reason.message}`;
  return { code: first?.reason?.code ?? "preparing", message };
}

function keep(stored: RolloutRecord, next: RolloutRecord): RolloutRecord {
  return JSON.stringify(stored) === JSON.stringify(next) ? stored : next;
}
