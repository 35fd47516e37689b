/** What an operator may tell a rollout, and in which states. Pure. */
import { hasFailed, isActiveRollout, isEnded, type Place, type RolloutRecord } from "./rollout.ts";
import { goOn, reopen } from "./stages.ts";

export const ACTIONS = ["pause", "resume", "cancel", "retry"] as const;
export type ActionName = (typeof ACTIONS)[number];
export type Action = { readonly name: ActionName; readonly by: string };

/** `done`: it is so already, and saying it again does no harm. */
export function mayAct(rollout: RolloutRecord, name: ActionName): "yes" | "done" | "wrong-state" {
  const { status } = rollout;
  switch (name) {
    case "pause":
      if (status === "paused") return "done";
      return status === "running" || status === "pending" ? "yes" : "wrong-state";
    case "resume":
      if (status === "running" || status === "pending") return "done";
      return status === "paused" ? "yes" : "wrong-state";
    case "cancel":
      if (status === "cancelled") return "done";
      return isActiveRollout(rollout) || status === "halted" ? "yes" : "wrong-state";
    case "retry":
      if (rollout.rolledBackBy !== null || status === "cancelled") return "wrong-state";
      if (rollout.nodes.some(isToRetry)) return "yes";
      return isActiveRollout(rollout) ? "done" : "wrong-state";
  }
}

/** The rollout as it has been told to be; where its nodes stand follows from reconciling it. */
export function act(rollout: RolloutRecord, { name, by }: Action): RolloutRecord {
  if (mayAct(rollout, name) !== "yes") return rollout;
  switch (name) {
    case "pause":
      return { ...rollout, status: "paused", reason: { code: "paused", message: `Paused by ${by}.` } };
    case "resume":
      return { ...goOn(rollout), status: "running", reason: null };
    case "cancel":
      return {
        ...rollout,
        status: "cancelled",
        reason: { code: "cancelled", message: `Cancelled by ${by}.` },
      };
    case "retry":
      return retry(rollout);
  }
}

/** Whoever failed, and whoever of its group was left out for it, is begun anew; holds and quarantines are lifted. */
function retry(rollout: RolloutRecord): RolloutRecord {
  const nodes = rollout.nodes.map((node) => (isToRetry(node) ? anew(node) : node));
  const stages = new Set(rollout.nodes.filter(isToRetry).map((node) => node.stage));
  const status = rollout.status === "paused" ? "paused" : "running";
  const reason = status === "paused" ? rollout.reason : null;
  const opened = [...stages].reduce(reopen, { ...rollout, nodes, status, reason, endedAt: null });
  return opened;
}

/** Its group's failure kept it from going. */
export const GROUP_STOPPED = "group-stopped";

const isToRetry = (node: Place): boolean =>
  hasFailed(node) || (isEnded(node) && node.reason?.code === GROUP_STOPPED);

const anew = (node: Place): Place => ({
  ...node,
  status: "pending",
  retry: true,
  jobId: null,
  reason: null,
  startedAt: null,
  endedAt: null,
});
