/**
 * What follows from what a node said: its rollouts go on, it catches up, and who is waiting for it is told. A rollout
 * of thousands is looked at a few times a second at most, so what nodes of one group said until then is followed up
 * together.
 */
import type { GroupName, NodeId, RolloutId } from "../../protocol/names.ts";
import { catchUpNode } from "./catch-up.ts";
import type { Context } from "./context.ts";
import { runRollouts } from "./engine.ts";
import { isolated } from "./isolated.ts";
import type { Said } from "./live-nodes.ts";
import { push, pushGroup } from "./push.ts";

/** Resolves when it has been done, and never rejects: what goes wrong is looked at again by the engine's tick. */
export function followUp(
  ctx: Context,
  nodeId: NodeId,
  group: GroupName,
  news: { readonly isForOthers: boolean; readonly rolloutIds: readonly RolloutId[] },
): Promise<void> {
  const said = ctx.live.said.get(group) ?? begin(ctx, group);
  said.nodeIds.add(nodeId);
  for (const id of news.rolloutIds) said.rolloutIds.add(id);
  said.isForOthers ||= news.isForOthers;
  return said.done;
}

function begin(ctx: Context, group: GroupName): Said {
  const done = ctx.live.inTurn(`group ${group}`, () => {
    // Who says something from here on is followed up after this.
    ctx.live.said.delete(group);
    return follow(ctx, group, said);
  });
  const said: Said = { nodeIds: new Set(), rolloutIds: new Set(), isForOthers: false, done };
  ctx.live.said.set(group, said);
  return said;
}

/** Rollouts come first; whatever goes wrong with them, who waits is told. */
async function follow(ctx: Context, group: GroupName, said: Said): Promise<void> {
  await isolated(ctx, "rollout", { group }, () => runRollouts(ctx, group, said.rolloutIds));
  // Who was removed meanwhile has nothing to catch up with.
  const nodeIds = [...said.nodeIds].filter((nodeId) => ctx.live.presence(nodeId) !== undefined);
  await Promise.all(
    nodeIds.map((nodeId) => isolated(ctx, "catch-up", { nodeId }, () => catchUpNode(ctx, nodeId))),
  );
  await isolated(ctx, "rollout", { group }, async () => {
    if (said.isForOthers) await pushGroup(ctx, group, nodeIds);
    else for (const nodeId of nodeIds) push(ctx, nodeId);
  });
}
