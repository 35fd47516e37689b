/** How the parts of a rollout are told apart: by their marks first, and by colour as well. */
import type { RolloutNodeStatus, RolloutStage, RolloutStatus } from "../../../protocol/rollout.ts";
import type { World } from "../../world.ts";

export type Colors = World["colors"];
export type Paint = (text: string) => string;

const NODE_MARKS: Readonly<Record<RolloutNodeStatus, string>> = {
  pending: "○",
  preparing: "◌",
  updating: "◐",
  succeeded: "●",
  failed: "✗",
  "rolled-back": "↩",
  skipped: "–",
};

export const STAGE_MARKS: Readonly<Record<RolloutStage["status"], string>> = {
  pending: "◇",
  running: "◈",
  done: "◆",
};

const ROLLOUT_MARKS: Readonly<Record<RolloutStatus, string>> = {
  pending: "○",
  running: "◐",
  paused: "‖",
  halted: "✗",
  completed: "●",
  cancelled: "–",
  failed: "✗",
};

export const paintOf = (
  colors: Colors,
  status: RolloutNodeStatus | RolloutStatus | RolloutStage["status"],
): Paint => {
  switch (status) {
    case "succeeded":
    case "completed":
    case "done":
      return colors.green;
    case "failed":
    case "rolled-back":
    case "halted":
      return colors.red;
    case "updating":
    case "preparing":
    case "running":
      return colors.cyan;
    case "paused":
      return colors.yellow;
    case "pending":
    case "skipped":
    case "cancelled":
      return colors.dim;
  }
};

export const nodeMark = (colors: Colors, status: RolloutNodeStatus): string =>
  paintOf(colors, status)(NODE_MARKS[status]);

export const rolloutState = (colors: Colors, status: RolloutStatus): string =>
  paintOf(colors, status)(`${ROLLOUT_MARKS[status]} ${status}`);

/** A node at work is what a person looks for. */
export const isAtWork = (status: RolloutNodeStatus): boolean =>
  status === "updating" || status === "preparing";

export const hasFailed = (status: RolloutNodeStatus): boolean =>
  status === "failed" || status === "rolled-back";
