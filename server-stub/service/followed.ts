import { type Wanted, waitsForRollout, wantedByChannel } from "../core/desired.ts";
import type { GroupRecord, StoredNode } from "../store/records.ts";
import type { Context } from "./context.ts";

/** What the channel that the group follows wants of it; null when it follows none, or one without a release. */
export async function followed(ctx: Context, group: GroupRecord): Promise<Wanted | null> {
  if (group.channel === null) return null;
  const channel = await ctx.store.channel(group.channel);
  return wantedByChannel(channel?.value ?? null, group.followsSince);
}

/** Whether the node is only brought by a rollout, or when it is asked for, to where its channel wants it. */
export async function isLeftToRollouts(ctx: Context, { value: node }: StoredNode): Promise<boolean> {
  const group = await ctx.store.group(node.group);
  if (group === null) return false;
  return waitsForRollout(group.value.wanted, node.placed, await followed(ctx, group.value), node.createdAt);
}
