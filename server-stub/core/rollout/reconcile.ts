/**
 * The engine of a rollout: what is stored and what is seen, in; what to store, which jobs to open and close, out.
 * A pure function of its arguments, so any replica may run it, at any time, as often as it likes, and a restart
 * resumes. The caller stores all of the result in one conditional write, or none of it.
 *
 * Invariants: a node that has ended stays ended, unless an operator retries it (a failure may still turn out to be a
 * rollback); a turn is given only while the rollout is running, in a stage that has begun, to one node of a group, in
 * at most `concurrency` groups; no stage begins before the one before it is done; pausing, cancelling and halting
 * never touch who holds a lease.
 */
import type { Reason } from "../../../protocol/job.ts";
import type { JobId, NodeId } from "../../../protocol/names.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import { type Action, act, GROUP_STOPPED } from "./actions.ts";
import { isAway, whyHalt } from "./halt.ts";
import { progress, say } from "./node.ts";
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
import { advance, keepReason } from "./stages.ts";
import { budgetOf, countsOf, progressOf } from "./tally.ts";
import { giveTurns, holdTurns, type Turns } from "./turns.ts";

export type Close = { readonly jobId: JobId; readonly reason: Reason };

export type Reconciled = {
  /** The same object when nothing changed. */
  readonly rollout: RolloutRecord;
  /** Nodes that need a job now: the build to install is in `rollout.nodes`. */
  readonly open: readonly NodeId[];
  /** Jobs that are to be cancelled: they hold no lease. */
  readonly close: readonly Close[];
};

export function reconcile(
  stored: RolloutRecord,
  fleet: Fleet,
  limits: RolloutLimits,
  now: EpochMs,
  action: Action | null = null,
): Reconciled {
  const told = action === null ? stored : act(stored, action);
  const begun: RolloutRecord = told.status === "pending" ? { ...told, status: "running" } : told;
  const progressed = begun.nodes.map((node) =>
    hasBegun(begun, node) ? progress(node, fleet.get(node.nodeId), begun, now) : { node, open: false },
  );
  const seen: RolloutRecord = { ...begun, nodes: progressed.map((each) => each.node) };
  if (seen.status === "halted" || seen.status === "cancelled") {
    // Whoever gave its lease back since without having acted is no longer under way: it is left as it was as well.
    return stop(stored, seen, seen.status, seen.reason ?? STOPPED, fleet, now);
  }
  if (seen.status !== "running" && seen.status !== "paused") return settle(stored, seen, fleet, now);
  const halt = whyHalt(seen, fleet, limits);
  if (halt !== null) return stop(stored, seen, "halted", halt, fleet, now);
  const { rollout: kept, close } = leaveOut(seen, fleet, limits, now);
  const next = kept.status === "running" ? advance(kept, now) : kept;
  if (next.status === "completed") return { ...settle(stored, next, fleet, now), close };
  return {
    rollout: keep(stored, placed(next, fleet)),
    open: progressed.filter((each) => each.open).map((each) => each.node.nodeId),
    close,
  };
}

const STOPPED: Reason = { code: "stopped", message: "It was ended early." };

/** Says of everybody in the stages begun whose turn it is, and why nobody else's. */
function placed(rollout: RolloutRecord, fleet: Fleet): RolloutRecord {
  const given =
    rollout.status === "running"
      ? giveTurns(rollout, fleet)
      : holdTurns(rollout, fleet, rollout.reason ?? { code: "paused", message: "The rollout is paused." });
  const nodes = rollout.nodes.map((node) => (hasBegun(rollout, node) ? place(node, given) : node));
  const open = nodes.filter((node) => hasBegun(rollout, node) && !isEnded(node));
  const reason = rollout.status === "running" && open.length > 0 ? overall(open) : rollout.reason;
  return { ...rollout, nodes, reason: keepReason(rollout.reason, reason) };
}

function place(node: Place, { turns, waiting }: Turns): Place {
  if (isEnded(node)) return node;
  if (turns.has(node.nodeId)) {
    return node.status === "updating" ? say(node, null) : { ...node, status: "updating", reason: null };
  }
  const status = node.status === "updating" ? "preparing" : node.status;
  const reason = node.jobId === null ? (node.reason ?? null) : (waiting.get(node.nodeId) ?? null);
  const said = say(node, reason);
  return said.status === status ? said : { ...said, status };
}

/** One sentence for the whole: who is at work, or what is waited for. */
function overall(open: readonly Place[]): Reason | null {
  const updating = open.filter((node) => node.status === "updating").map((node) => node.name);
  if (updating.length > 0) {
    const more = updating.length > 5 ? ` and ${updating.length - 5} more` : "";
    const verb = updating.length === 1 ? "has its turn" : "have their turn";
    return { code: "updating", message: `${updating.slice(0, 5).join(", ")}${more} ${verb}.` };
  }
  const first = open.find((node) => node.reason !== null);
  const message = first?.reason == null ? "Its nodes get ready." : `${first.name}: ${first.reason.message}`;
  return { code: first?.reason?.code ?? "preparing", message };
}

/**
 * Leaves out who cannot go although the rollout goes on: the rest of a quorum group of which one failed, and, if the
 * policy says so, who has been offline for long.
 */
function leaveOut(rollout: RolloutRecord, fleet: Fleet, { offlineAfterMs }: RolloutLimits, now: EpochMs) {
  const close: Close[] = [];
  const failed = new Map(
    rollout.nodes
      .filter((node) => hasFailed(node) && isQuorum(rollout, node))
      .map((node) => [node.group, node.name]),
  );
  const whyOut = (node: Place): Reason | null => {
    const name = failed.get(node.group);
    if (name !== undefined) {
      return { code: GROUP_STOPPED, message: `Left as it was, since ${name} of its group failed.` };
    }
    if (rollout.policy.offline !== "skip" || !isAway(node, fleet, offlineAfterMs)) return null;
    return { code: "node-offline", message: "It was offline when its turn would have come." };
  };
  const nodes = rollout.nodes.map((node) => {
    const stays = isEnded(node) || !hasBegun(rollout, node) || fleet.get(node.nodeId)?.lease != null;
    const reason = stays ? null : whyOut(node);
    if (reason === null) return node;
    if (node.jobId !== null) close.push({ jobId: node.jobId, reason });
    return { ...node, status: "skipped" as const, reason, endedAt: now };
  });
  return { rollout: { ...rollout, nodes }, close };
}

/** Ends it early: whoever holds a lease finishes, nobody else is touched. */
function stop(
  stored: RolloutRecord,
  rollout: RolloutRecord,
  status: "halted" | "cancelled",
  reason: Reason,
  fleet: Fleet,
  now: EpochMs,
): Reconciled {
  const close: Close[] = [];
  const nodes = rollout.nodes.map((node): Place => {
    if (isEnded(node) || fleet.get(node.nodeId)?.lease != null) return node;
    if (node.jobId !== null) close.push({ jobId: node.jobId, reason });
    if (status === "cancelled") return cancelled(node, reason, now);
    return hasBegun(rollout, node) ? leftPending(node, reason) : node;
  });
  const next = settle(stored, { ...rollout, status, reason, nodes }, fleet, now);
  return { ...next, close };
}

const untouched = (code: string, { message }: Reason): Reason => ({
  code,
  message: `Left as it was. ${message}`.slice(0, 2000),
});

const cancelled = (node: Place, reason: Reason, now: EpochMs): Place => ({
  ...node,
  status: "skipped",
  reason: untouched("cancelled", reason),
  endedAt: now,
});

function leftPending(node: Place, reason: Reason): Place {
  const isLeft = node.status === "pending" && node.jobId === null && node.reason?.code === "halted";
  if (isLeft) return node;
  return { ...node, status: "pending", jobId: null, startedAt: null, reason: untouched("halted", reason) };
}

/** An end is an end once nobody is under way any more. */
function settle(stored: RolloutRecord, rollout: RolloutRecord, fleet: Fleet, now: EpochMs): Reconciled {
  const underWay = rollout.nodes.some((node) => !isEnded(node) && fleet.get(node.nodeId)?.lease != null);
  const endedAt = underWay ? null : (rollout.endedAt ?? now);
  return { rollout: keep(stored, { ...rollout, endedAt }), open: [], close: [] };
}

/** Counts, and answers the stored object itself when nothing is different. */
function keep(stored: RolloutRecord, next: RolloutRecord): RolloutRecord {
  const isSame = (node: Place, index: number) => node === stored.nodes[index];
  const same = next.nodes.length === stored.nodes.length && next.nodes.every(isSame);
  const nodes = same ? stored.nodes : next.nodes;
  const { failed, allowed } = budgetOf(next);
  const counts = countsOf(nodes);
  const counted = { ...next, nodes, counts, budget: { failed, allowed }, progressAt: progressOf(nodes) };
  return same && headText(counted) === headText(stored) ? stored : counted;
}

const headText = ({ nodes: _nodes, ...head }: RolloutRecord): string => JSON.stringify(head);
