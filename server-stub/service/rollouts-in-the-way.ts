import type { NodeId, RolloutId } from "../../protocol/names.ts";
import type { Result } from "../../protocol/result.ts";
import { groupsOf, placeOf } from "../core/rollout/places.ts";
import { isActiveRollout, isEnded, type RolloutRecord } from "../core/rollout/rollout.ts";
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

/** The groups of a rollout that are still there. */
export async function groupsFor(ctx: Context, rollout: RolloutRecord): Promise<Stored<GroupRecord>[]> {
  const found = await Promise.all(groupsOf(rollout).map((name) => ctx.store.group(name)));
  return found.filter((group) => group !== null);
}

/** Writes the groups as they are: whoever else began something with them meanwhile has to look again. */
export const claim = (groups: Iterable<Stored<GroupRecord>>): Change[] =>
  Array.from(groups, ({ value, revision }): Change => ({ kind: "group", value, expected: revision }));
