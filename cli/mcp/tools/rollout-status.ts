import { RolloutId } from "../../../protocol/names.ts";
import { err, ok } from "../../../protocol/result.ts";
import { Rollout, RolloutList, RolloutNode, RolloutSummary } from "../../../protocol/rollout.ts";
import { Type } from "../../../protocol/schema.ts";
import { path } from "../../api/client.ts";
import { rolloutLine } from "../sentences.ts";
import { tool } from "../tool.ts";

const closed = { additionalProperties: false };
const MOST_NODES = 200;

/** How a rollout stands; of a large one those nodes come first that something is the matter with. */
export const rolloutStatus = tool({
  name: "rollout_status",
  title: "How a rollout stands",
  description:
    "Shows a rollout: status and reason in words, stages, counts, failure budget, estimated end, and its nodes (those at work or failed first; at most 200, `moreNodes` counts the others). Without an id: the newest rollout. Changes nothing.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Type.Object({ rolloutId: Type.Optional(RolloutId) }, closed),
  output: Type.Object(
    { rollout: RolloutSummary, nodes: Type.Array(RolloutNode), moreNodes: Type.Integer() },
    closed,
  ),
  run: async ({ rolloutId }, { api }) => {
    let id = rolloutId;
    if (id === undefined) {
      const newest = await api.call({ path: "/v1/rollouts?limit=1", answer: RolloutList });
      if (!newest.ok) return newest;
      id = newest.value.rollouts[0]?.id;
    }
    if (id === undefined) return err({ code: "not-found", message: "There has been no rollout yet." });
    const found = await api.call({ path: path("v1", "rollouts", id), answer: Rollout });
    if (!found.ok) return found;
    const { nodes, ...rollout } = found.value;
    const shown = [...nodes].sort((a, b) => rankOf(a) - rankOf(b)).slice(0, MOST_NODES);
    const told = shown
      .filter((node) => node.reason !== null)
      .map((node) => `${node.name} ${node.status}: ${node.reason?.message}`);
    return ok({
      value: { rollout, nodes: shown, moreNodes: nodes.length - shown.length },
      text: [rolloutLine(rollout), ...told].join("\n"),
    });
  },
});

const RANKS: readonly RolloutNode["status"][] = [
  "failed",
  "rolled-back",
  "updating",
  "preparing",
  "pending",
  "skipped",
  "succeeded",
];
const rankOf = ({ status }: RolloutNode): number => RANKS.indexOf(status);
