import { RolloutId } from "../../../protocol/names.ts";
import { ok } from "../../../protocol/result.ts";
import { Rollout, RolloutSummary } from "../../../protocol/rollout.ts";
import { Type } from "../../../protocol/schema.ts";
import { path } from "../../api/client.ts";
import { rolloutLine } from "../sentences.ts";
import { tool } from "../tool.ts";

/** Ends a rollout early. */
export const cancelRollout = tool({
  name: "cancel_rollout",
  title: "Cancel a rollout",
  description:
    "Ends a rollout early: no further node gets its turn. A node that is under way finishes or goes back by itself; nodes that were updated stay updated, and the rest stays untouched. It cannot be taken up again. Needs an operator's token.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: Type.Object({ rolloutId: RolloutId }, { additionalProperties: false }),
  output: RolloutSummary,
  run: async ({ rolloutId }, { api }) => {
    const cancelled = await api.call({
      method: "POST",
      path: path("v1", "rollouts", rolloutId, "cancel"),
      answer: Rollout,
    });
    if (!cancelled.ok) return cancelled;
    const { nodes: _nodes, ...rollout } = cancelled.value;
    return ok({ value: rollout, text: rolloutLine(rollout) });
  },
});
