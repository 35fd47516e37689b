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
import { awayAtTheFront, whyAway, whyFail, whyFailures } from "./halt.ts";
import { progress, say, skipped } from "./node.ts";
import { unitsOf } from "./places.ts";
import {
  because,
  GROUP_STOPPED,
  keepReason,
  listed,
  NODE_OFFLINE,
  sameReason,
  stageReason,
  withTurn,
} from "./reasons.ts";
import {
  type Fleet,
  hasBegun,
  hasFailed,
  holdsLease,
  isEnded,
  isLookedAt,
  isStopped,
  nodeIn,
  type Place,
  type RolloutRecord,
  type Surroundings,
  type Time,
} from "./rollout.ts";
import { advance, endStages, withStages } from "./stages.ts";
import { budgetOf, countsOf, progressOf, sameCounts, tallyOf } from "./tally.ts";
import { giveTurns, holdTurns } from "./turns.ts";

export type Close = { readonly jobId: JobId; readonly reason: Reason };

export type Reconciled = {
  /** The same object when nothing changed. */
  readonly rollout: RolloutRecord;
  /** Nodes that need a job now: the build to install is in `rollout.nodes`. */
  readonly open: readonly NodeId[];
  /** Jobs that are to be cancelled: they hold no lease. */
  readonly close: readonly Close[];
};

/** Jobs that one look opens. */
const MOST_OPENED = 500;

export function reconcile(stored: RolloutRecord, fleet: Fleet, around: Surroundings, time: Time): Reconciled {
  const begun: RolloutRecord = stored.status === "pending" ? { ...stored, status: "running" } : stored;
  const wanting = new Set<NodeId>();
  const nodes = begun.nodes.map((node) => {
    const found = hasBegun(begun, node) ? fleet.get(node.nodeId) : undefined;
    if (found === undefined) return node;
    // The rest has its turn with the next look: to tell ten thousand at once would let nobody be heard meanwhile.
    if (wanting.size >= MOST_OPENED && node.jobId === null && !isEnded(node)) return node;
    const progressed = progress(node, found, begun, time.wallMs);
    if (progressed.open) wanting.add(node.nodeId);
    return progressed.node;
  });
  const seen: RolloutRecord = { ...begun, nodes };
  // Whoever gave its lease back since without having acted is no longer under way: it is left as it was as well.
  if (isStopped(seen)) return stop(stored, seen, fleet, time);
  if (seen.status === "completed") {
    return { rollout: keep(stored, ended(seen, fleet, time)), open: [], close: [] };
  }
  const fault = whyFail(seen, fleet, around);
  if (fault !== null) return stop(stored, { ...seen, status: "failed", reason: fault }, fleet, time);
  const away = awayAtTheFront(seen, fleet, around);
  const halt = whyFailures(seen) ?? whyAway(seen, away, fleet, around);
  if (halt !== null) return stop(stored, { ...seen, status: "halted", reason: halt }, fleet, time);
  const { rollout: kept, close } = leaveOut(seen, away, fleet, time);
  const next = kept.status === "running" ? advance(kept, time) : kept;
  const rollout = next.status === "completed" ? ended(next, fleet, time) : placed(next, fleet);
  const open = rollout.nodes.filter((node) => wanting.has(node.nodeId) && !isEnded(node));
  return { rollout: keep(stored, rollout), open: open.map((node) => node.nodeId), close };
}

/** Says of everybody in the stages begun whose turn it is, and why nobody else's. */
function placed(rollout: RolloutRecord, fleet: Fleet): RolloutRecord {
  const isRunning = rollout.status === "running";
  const given = isRunning ? giveTurns(rollout, fleet) : holdTurns(rollout, fleet, rollout.reason ?? PAUSED);
  const nodes = rollout.nodes.map((node) => {
    if (!isLookedAt(rollout, node)) return node;
    if (given.turns.has(node.nodeId)) {
      return put(node, "updating", withTurn(node, nodeIn(fleet, node.nodeId)?.lease ?? null, rollout.kind));
    }
    const status = node.status === "updating" ? "preparing" : node.status;
    const known = isRunning && node.jobId === null ? node.reason : null;
    return put(node, status, known ?? given.waiting.get(node.nodeId) ?? null);
  });
  const open = nodes.filter((node) => isLookedAt(rollout, node));
  const reason = isRunning && open.length > 0 ? overall(open) : rollout.reason;
  return { ...rollout, nodes, reason: keepReason(rollout.reason, reason) };
}

const PAUSED = because("paused", "The rollout is paused.");

function put(node: Place, status: Place["status"], reason: Reason | null): Place {
  const said = say(node, reason);
  return said.status === status ? said : { ...said, status };
}

/** One sentence for the whole: who is at work, or what is waited for. */
function overall(open: readonly Place[]): Reason {
  const updating = open.filter((node) => node.status === "updating").map((node) => node.name);
  if (updating.length > 0) {
    const verb = updating.length === 1 ? "has its turn" : "have their turn";
    return because("updating", `${listed(updating)} ${verb}.`);
  }
  const first = open.find((node) => node.reason !== null);
  if (first?.reason == null) return because("preparing", "Its nodes get ready.");
  return because(first.reason.code, `${first.name}: ${first.reason.message}`);
}

/**
 * Leaves out who cannot go although the rollout goes on: the rest of a quorum group of which one failed, and, if the
 * policy says so, who is away when its turn would come.
 */
function leaveOut(rollout: RolloutRecord, away: ReadonlySet<NodeId>, fleet: Fleet, { wallMs }: Time) {
  const close: Close[] = [];
  const { isQuorum } = unitsOf(rollout);
  const failed = new Map<string, string>();
  for (const node of rollout.nodes) {
    if (hasFailed(node) && isQuorum(node)) failed.set(node.group, node.name);
  }
  if (failed.size === 0 && away.size === 0) return { rollout, close };
  const whyOut = (node: Place): Reason | null => {
    const name = failed.get(node.group);
    if (name !== undefined) {
      return because(GROUP_STOPPED, `Left as it was, since ${name} of its group failed.`);
    }
    if (rollout.policy.offline !== "skip" || !away.has(node.nodeId)) return null;
    return because(NODE_OFFLINE, "It was offline when its turn would have come.");
  };
  const nodes = rollout.nodes.map((node) => {
    if (!isLookedAt(rollout, node) || holdsLease(fleet, node)) return node;
    const reason = whyOut(node);
    if (reason === null) return node;
    if (node.jobId !== null) close.push({ jobId: node.jobId, reason });
    return skipped(node, reason, wallMs);
  });
  return { rollout: { ...rollout, nodes }, close };
}

/** It is ended early: whoever holds a lease finishes, nobody else is touched. */
function stop(stored: RolloutRecord, rollout: RolloutRecord, fleet: Fleet, time: Time): Reconciled {
  const close: Close[] = [];
  const why = rollout.reason ?? because("stopped", "It was ended early.");
  const isOver = rollout.status === "cancelled";
  const left = because(
    isOver ? "cancelled" : "halted",
    `Left as it was: the rollout ${WAS[rollout.status]}.`,
  );
  const nodes = rollout.nodes.map((node): Place => {
    if (isEnded(node)) return node;
    if (holdsLease(fleet, node)) {
      return put(node, "updating", withTurn(node, nodeIn(fleet, node.nodeId)?.lease ?? null, rollout.kind));
    }
    if (node.jobId !== null) close.push({ jobId: node.jobId, reason: why });
    if (isOver) return skipped(node, left, time.wallMs);
    return hasBegun(rollout, node) ? leftPending(node, left) : node;
  });
  const next = ended({ ...rollout, reason: why, pause: null, nodes }, fleet, time);
  return { rollout: keep(stored, next), open: [], close };
}

const WAS: Readonly<Partial<Record<RolloutRecord["status"], string>>> = {
  halted: "halted",
  failed: "failed",
  cancelled: "was cancelled",
};

function leftPending(node: Place, left: Reason): Place {
  if (node.status === "pending" && node.jobId === null && sameReason(node.reason, left)) return node;
  return { ...node, status: "pending", jobId: null, startedAt: null, reason: left };
}

/** An end is an end once nobody is under way any more. */
function ended(rollout: RolloutRecord, fleet: Fleet, { wallMs }: Time): RolloutRecord {
  if (rollout.nodes.some((node) => !isEnded(node) && holdsLease(fleet, node))) {
    return { ...rollout, endedAt: null };
  }
  const over = { ...rollout, endedAt: rollout.endedAt ?? wallMs };
  return over.status === "cancelled" ? endStages(over, wallMs) : over;
}

/** Counts, says of each stage why it is where it is, and answers the stored object itself when nothing is different. */
function keep(stored: RolloutRecord, next: RolloutRecord): RolloutRecord {
  const same = next.nodes.every((node, at) => node === stored.nodes[at]);
  const tallies = tallyOf(next);
  const counts = countsOf(tallies);
  const tally = tallies[next.stage];
  const { failed, allowed } = tally === undefined ? stored.budget : budgetOf(tally, next.policy.threshold);
  const isSameBudget = failed === stored.budget.failed && allowed === stored.budget.allowed;
  const said = withStages(next, (stage, at) => {
    const own = tallies[at];
    const reason = own === undefined ? stage.reason : stageReason(next, at, own);
    return sameReason(stage.reason, reason) ? stage : { ...stage, reason };
  });
  const counted: RolloutRecord = {
    ...said,
    nodes: same ? stored.nodes : next.nodes,
    counts: sameCounts(counts, stored.counts) ? stored.counts : counts,
    budget: isSameBudget ? stored.budget : { failed, allowed },
    progressAt: same ? (stored.progressAt ?? null) : progressOf(next.nodes),
  };
  const isSame = (Object.keys(counted) as (keyof RolloutRecord)[]).every(
    (key) => counted[key] === stored[key],
  );
  return isSame ? stored : counted;
}
