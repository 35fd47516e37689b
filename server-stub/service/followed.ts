import type { EpochMs } from "../../protocol/time.ts";
import { type Wanted, waitsForRollout, wantedByChannel } from "../core/desired.ts";
import type { GroupRecord, StoredNode } from "../store/records.ts";
import type { Context } from "./context.ts";

/** What the channel that the group follows wants of it; null when it follows none, or one without a release. */
export async function followed(ctx: Context, group: GroupRecord): Promise<Wanted | null> {
  if (group.channel === null) return null;
  const channel = await ctx.store.channel(group.channel);
  return wantedByChannel(channel?.value ?? null, group.followsSince);
}

/**
 * When a group follows or a channel is moved. Who is there already has not joined late, also where the wall clock was set
 * back since: then it is the moment after the last of them joined, and not this one.
 */
export async function afterAllJoined(ctx: Context): Promise<EpochMs> {
  const { nodes } = await ctx.roster();
  let at = ctx.wall();
  for (const { value } of nodes.values()) if (value.createdAt > at) at = value.createdAt + 1;
  return at;
}

/** Whether the node is only brought by a rollout, or when it is asked for, to where its channel wants it. */
export async function isLeftToRollouts(ctx: Context, { value: node }: StoredNode): Promise<boolean> {
  const group = await ctx.store.group(node.group);
  if (group === null) return false;
  return waitsForRollout(group.value.wanted, node.placed, await followed(ctx, group.value), node.createdAt);
}
