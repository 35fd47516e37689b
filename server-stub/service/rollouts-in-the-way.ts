import type { NodeId, RolloutId } from "../../protocol/names.ts";
import type { Result } from "../../protocol/result.ts";
import { groupsOf, placeOf } from "../core/rollout/places.ts";
import { isActiveRollout, isEnded, type Place, type RolloutRecord } from "../core/rollout/rollout.ts";
import type { Change, GroupRecord, Stored } from "../store/records.ts";
import type { Context } from "./context.ts";
import type { Refusal } from "./coordinator.ts";
import { refuse } from "./refusals.ts";

/**
 * Another active rollout that has one of these nodes and is not done with it. What is begun on the word of this must
 * write the nodes' groups in the same batch, so that two rollouts cannot begin beside each other.
 */
export async function rolloutInTheWay(
  ctx: Context,
  nodeIds: readonly NodeId[],
  but: RolloutId | null,
): Promise<Result<never, Refusal> | null> {
  for (const { value } of await ctx.store.unfinishedRollouts()) {
    if (value.id === but || !isActiveRollout(value)) continue;
    const place = nodeIds
      .map((id) => placeOf(value, id))
      .find((each) => each !== undefined && !isEnded(each));
    if (place === undefined) continue;
    return refuse(
      "rollout-active",
      `Rollout ${value.id} of ${value.release} is ${value.status} and has ${place.name}. Nothing was begun.`,
      {
        hint: "Wait for it, or cancel it.",
        context: { rollout: value.id, state: value.status, node: place.name },
      },
    );
  }
  return null;
}

/**
 * A later rollout that has brought nodes of this one elsewhere. To go on with this one would take them back, and once
 * it completes everybody of its groups with them.
 */
export async function overtakenBy(ctx: Context, rollout: RolloutRecord): Promise<RolloutRecord | null> {
  if (rollout.kind === "rollback") return null;
  const judged = new Set<NodeId>();
  for (const { value: head } of await ctx.store.rollouts()) {
    if (head.id === rollout.id) return null;
    const later = (await ctx.store.rollout(head.id))?.value;
    if (later === undefined) continue;
    for (const { nodeId } of rollout.nodes) {
      const place = placeOf(later, nodeId);
      // The last one to move a node says where it is.
      if (place === undefined || judged.has(nodeId) || !hasMoved(place)) continue;
      judged.add(nodeId);
      if (place.to?.version !== rollout.release) return later;
    }
  }
  return null;
}

const hasMoved = ({ status }: Place): boolean => status === "succeeded" || status === "updating";

/** The groups of a rollout that are still there. */
export async function groupsFor(ctx: Context, rollout: RolloutRecord): Promise<Stored<GroupRecord>[]> {
  const found = await Promise.all(groupsOf(rollout).map((name) => ctx.store.group(name)));
  return found.filter((group) => group !== null);
}

/** Writes the groups as they are: whoever else began something with them meanwhile has to look again. */
export const claim = (groups: Iterable<Stored<GroupRecord>>): Change[] =>
  Array.from(groups, ({ value, revision }): Change => ({ kind: "group", value, expected: revision }));
