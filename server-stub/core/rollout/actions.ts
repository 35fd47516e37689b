/** What an operator may tell a rollout, in which states, and what it then is. Pure. */
import { sleep, wake } from "./pause.ts";
import { because, GROUP_STOPPED, NODE_OFFLINE } from "./reasons.ts";
import { hasFailed, isActiveRollout, isEnded, type Place, type RolloutRecord, type Time } from "./rollout.ts";
import { reopen } from "./stages.ts";

export const ACTIONS = ["pause", "resume", "cancel", "retry", "rollback"] as const;
export type ActionName = (typeof ACTIONS)[number];
export type Action = { readonly name: ActionName; readonly by: string };

/**
 * `done`: it is so already, and saying it again does no harm. What may not be comes with why not, and what may be done
 * instead.
 */
export type May = "yes" | "done" | { readonly message: string; readonly hint: string };

export function mayAct(rollout: RolloutRecord, name: ActionName): May {
  const { status } = rollout;
  switch (name) {
    case "pause":
      if (status === "paused") return "done";
      return isActiveRollout(rollout) ? "yes" : not(rollout, "paused");
    case "resume":
      if (status === "paused") return "yes";
      return isActiveRollout(rollout) ? "done" : not(rollout, "resumed");
    case "cancel":
      if (status === "cancelled") return "done";
      return status === "completed" ? not(rollout, "cancelled") : "yes";
    case "retry":
      return mayRetry(rollout);
    case "rollback":
      return mayRollBack(rollout);
  }
}

function mayRetry(rollout: RolloutRecord): May {
  const { status, rolledBackBy } = rollout;
  if (rolledBackBy !== null || status === "cancelled") return not(rollout, "retried");
  if (status === "halted" || status === "failed" || rollout.nodes.some(isToRetry)) return "yes";
  return isActiveRollout(rollout) ? "done" : not(rollout, "retried");
}

function mayRollBack(rollout: RolloutRecord): May {
  const { id, kind, status, rolledBackBy, release } = rollout;
  if (rolledBackBy !== null) return "done";
  if (kind === "rollback") {
    return {
      message: `Rollout ${id} is a rollback itself, and is not taken back.`,
      hint: `To bring its nodes to ${release} again, start a rollout of it with \`--retry\`.`,
    };
  }
  if (rollout.nodes.some(mayHaveMoved)) return "yes";
  return {
    message: `Rollout ${id} is ${status} and has moved no node: there is nothing to take back.`,
    hint: isActiveRollout(rollout)
      ? "Cancel it, and its nodes stay as they are."
      : "Leave it: its nodes are as they were before it.",
  };
}

/** What another rollout brings back: a node that has moved, or is about to, or of which nobody knows. */
export const mayHaveMoved = ({ status }: Pick<Place, "status">): boolean =>
  status === "succeeded" || status === "updating" || status === "failed";

function not({ id, kind, status, rolledBackBy }: RolloutRecord, what: string): May {
  if (rolledBackBy !== null) {
    return {
      message: `Rollout ${id} was taken back by rollout ${rolledBackBy} and cannot be ${what}.`,
      hint: "Start a rollout anew.",
    };
  }
  const message =
    what === "retried" && status === "completed"
      ? `Rollout ${id} is completed and none of its nodes failed: there is nothing to retry.`
      : `Rollout ${id} is ${status} and cannot be ${what}.`;
  const isOver = status === "completed" || status === "cancelled";
  return {
    message,
    hint: isOver && kind === "update" ? `${HINTS[status]} To undo it, roll it back.` : HINTS[status],
  };
}

/** What can be done with a rollout in this status instead. */
const HINTS: Readonly<Record<RolloutRecord["status"], string>> = {
  pending: "",
  running: "",
  paused: "Resume it, or cancel it.",
  halted: "Retry goes on with it, and begins anew who failed; cancel ends it.",
  failed: "Retry goes on with it once the reason is mended; cancel ends it.",
  completed: "It is over: start a rollout anew.",
  cancelled: "It is over: start a rollout anew.",
};

/**
 * The rollout as it has been told to be, the same object when it is so already or may not be; where its nodes stand
 * follows from reconciling it.
 */
export function act(rollout: RolloutRecord, action: Action, time: Time): RolloutRecord {
  if (mayAct(rollout, action.name) !== "yes") return rollout;
  const { name, by } = action;
  const { pause } = rollout;
  switch (name) {
    case "pause": {
      const reason = because("paused", `Paused by ${by}.`);
      return { ...rollout, status: "paused", reason, pause: pause && sleep(pause, time.nowMs) };
    }
    case "resume":
      return { ...rollout, status: "running", reason: null, pause: pause && wake(pause, time.nowMs) };
    case "cancel":
      return cancelled(rollout, `Cancelled by ${by}.`);
    case "retry":
      return retry(rollout);
    case "rollback":
      return isActiveRollout(rollout)
        ? cancelled(rollout, `Cancelled by ${by}, who takes it back.`)
        : rollout;
  }
}

const cancelled = (rollout: RolloutRecord, message: string): RolloutRecord => ({
  ...rollout,
  status: "cancelled",
  pause: null,
  reason: because("cancelled", message),
});

/**
 * Whoever failed, and whoever was left out because its group was stopped or it was away, is begun anew. Holds and
 * quarantines of who failed are lifted. A rollout that was ended early goes on; one that is paused stays paused.
 */
function retry(rollout: RolloutRecord): RolloutRecord {
  const nodes = rollout.nodes.map((node) => (isToRetry(node) ? anew(node) : node));
  const stages = new Set(rollout.nodes.filter(isToRetry).map((node) => node.stage));
  return reopen({ ...rollout, ...again(rollout), nodes }, stages);
}

function again({ status, pause }: RolloutRecord): Partial<RolloutRecord> {
  if (status === "halted" || status === "failed" || status === "completed") {
    return { status: "running", reason: null, endedAt: null };
  }
  const waits = status === "paused" && pause !== null;
  return waits
    ? { reason: because("paused", "Paused: who is to be tried again waits until it is resumed.") }
    : {};
}

const LEFT_OUT: readonly string[] = [GROUP_STOPPED, NODE_OFFLINE];

const isToRetry = (node: Place): boolean =>
  hasFailed(node) || (isEnded(node) && node.left !== true && LEFT_OUT.includes(node.reason?.code ?? ""));

const anew = (node: Place): Place => ({
  ...node,
  status: "pending",
  retry: node.retry || hasFailed(node),
  jobId: null,
  reason: because("preparing", "It is begun anew."),
  startedAt: null,
  endedAt: null,
});
