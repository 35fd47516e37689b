/** What `./all-tools.ts` has, by name: the command tells them without loading the rest. */
export const TOOL_NAMES = [
  "initiate_rolling_update",
  "rollout_status",
  "list_nodes",
  "preflight",
  "cancel_rollout",
] as const;
