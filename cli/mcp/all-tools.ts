import type { Tool } from "./tool.ts";
import type { TOOL_NAMES } from "./tool-names.ts";
import { cancelRollout } from "./tools/cancel-rollout.ts";
import { initiateRollingUpdate } from "./tools/initiate-rolling-update.ts";
import { listNodes } from "./tools/list-nodes.ts";
import { preflight } from "./tools/preflight.ts";
import { rolloutStatus } from "./tools/rollout-status.ts";

const BY_NAME: Readonly<Record<(typeof TOOL_NAMES)[number], Tool>> = {
  initiate_rolling_update: initiateRollingUpdate,
  rollout_status: rolloutStatus,
  list_nodes: listNodes,
  preflight,
  cancel_rollout: cancelRollout,
};

/** In the order in which they are listed. */
export const ALL_TOOLS: readonly Tool[] = Object.values(BY_NAME);
