/** What a rollout's page says, and what may be done with the rollout: pure. The coordinator decides all the same. */
import type {
  RolloutCounts,
  RolloutNode,
  RolloutNodeStatus,
  RolloutSummary,
} from "../../../../protocol/rollout.ts";
import type { Tone } from "../../parts/mark.tsx";

export const NODE_TONE: Readonly<Record<RolloutNodeStatus, Tone>> = {
  pending: "idle",
  preparing: "idle",
  updating: "busy",
  succeeded: "good",
  failed: "bad",
  "rolled-back": "warn",
  skipped: "idle",
};

export const NODE_WORD: Readonly<Record<RolloutNodeStatus, string>> = {
  pending: "waiting",
  preparing: "preparing",
  updating: "updating",
  succeeded: "updated",
  failed: "failed",
  "rolled-back": "rolled back",
  skipped: "skipped",
};

/** The word for a node; in a rollback, who succeeded went back. */
export const wordOf = (status: RolloutNodeStatus, kind: RolloutSummary["kind"]): string =>
  kind === "rollback" && status === "succeeded" ? "went back" : NODE_WORD[status];

export const titleOf = ({ kind, release }: Pick<RolloutSummary, "kind" | "release">): string =>
  kind === "rollback" ? `Roll back from ${release}` : `Update to ${release}`;

export const sumOf = (counts: RolloutCounts): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

/** What is counted, in the order in which it is shown; `show` filters the table by it. */
export const COUNTED = [
  { show: "succeeded", name: "updated", count: (c: RolloutCounts) => c.succeeded, tone: "good" },
  { show: "updating", name: "under way", count: (c: RolloutCounts) => c.updating, tone: "busy" },
  { show: "waiting", name: "waiting", count: (c: RolloutCounts) => c.pending + c.preparing, tone: "idle" },
  { show: "failed", name: "failed", count: (c: RolloutCounts) => c.failed, tone: "bad" },
  { show: "rolled-back", name: "rolled back", count: (c: RolloutCounts) => c.rolledBack, tone: "warn" },
  { show: "skipped", name: "skipped", count: (c: RolloutCounts) => c.skipped, tone: "idle" },
] as const satisfies readonly {
  show: string;
  name: string;
  tone: Tone;
  count: (counts: RolloutCounts) => number;
}[];
export type Shown = (typeof COUNTED)[number]["show"];

export const isShown = ({ status }: RolloutNode, show: Shown | null): boolean =>
  show === null || (show === "waiting" ? status === "pending" || status === "preparing" : status === show);

/** "2 of 3 allowed"; where the first failure halts, that is what is said. */
export const allowanceOf = ({ failed, allowed }: RolloutSummary["budget"]): string =>
  allowed === 0
    ? `${failed === 0 ? "No failure" : `${failed} failed`}, none allowed`
    : `${failed} of ${allowed} allowed`;

export type ActionName = "pause" | "resume" | "cancel" | "retry" | "rollback";

export const isActive = ({ status }: Pick<RolloutSummary, "status">): boolean =>
  status === "pending" || status === "running" || status === "paused";

/** Nodes that a rollback of it would look at. */
export const movedOf = ({ counts }: Pick<RolloutSummary, "counts">): number =>
  counts.succeeded + counts.updating + counts.failed;

const LEFT_OUT: readonly string[] = ["group-stopped", "node-offline"];

/** It failed, went back, or was left out because its group was stopped or it was away. */
export const canBeRetried = ({ status, reason }: RolloutNode): boolean =>
  status === "failed" ||
  status === "rolled-back" ||
  (status === "skipped" && LEFT_OUT.includes(reason?.code ?? ""));

/**
 * Why this cannot be told to a rollout now; null when it can. `retriable`: how many of its nodes could be begun anew;
 * `back`: the status of the rollout that takes it back.
 */
export function whyNot(
  rollout: RolloutSummary,
  action: ActionName,
  retriable: number,
  back: RolloutSummary["status"] | null,
): string | null {
  const { status, kind, rolledBackBy } = rollout;
  const takenBack = rolledBackBy !== null && back !== "cancelled";
  switch (action) {
    case "pause":
      if (status === "paused") return "It is paused already";
      return isActive(rollout) ? null : `It is ${status}: no further turn is given`;
    case "resume":
      if (status === "paused") return null;
      if (status === "halted" || status === "failed") return `It is ${status}: retry goes on with it`;
      return isActive(rollout) ? "It is not paused" : `It is ${status}`;
    case "cancel":
      return status === "completed" || status === "cancelled" ? `It is ${status}` : null;
    case "retry":
      if (rolledBackBy !== null) return `It was taken back by ${rolledBackBy}`;
      if (status === "cancelled") return "It is cancelled: start a rollout anew";
      if (status === "halted" || status === "failed" || retriable > 0) return null;
      return "None of its nodes has failed";
    case "rollback":
      if (takenBack) return `It is taken back by ${rolledBackBy}`;
      if (kind === "rollback") return "It is a rollback itself";
      return movedOf(rollout) > 0 ? null : "It has moved no node: there is nothing to take back";
  }
}
