import type { NodeId } from "../../protocol/names.ts";
import type { GroupView, Member } from "../core/lease/view.ts";
import { ailment, stateOf } from "../core/presence/presence.ts";
import { placesIn } from "../core/rollout/places.ts";
import { isActiveRollout, isEnded, type RolloutRecord } from "../core/rollout/rollout.ts";
import { gateOf } from "../core/window/gate.ts";
import type { GroupRecord, NodeRecord } from "../store/records.ts";
import type { Context } from "./context.ts";

/**
 * The group as the lease's rules see it: its members with what is known of them right now. A node whose credential
 * was revoked is a voter until it is removed. Of a group of independent nodes only `about` is in it, if given:
 * nobody else matters there, and there may be thousands.
 */
export async function readGroupView(
  ctx: Context,
  group: GroupRecord,
  acceptOutage: boolean,
  about?: NodeRecord,
): Promise<GroupView> {
  const { mode, spare, name } = group;
  const gate = gateOf((await ctx.store.policy()).value, group, ctx.wall());
  if (mode === "independent" && about !== undefined) {
    return { mode, spare, acceptOutage, gate, members: [memberView(ctx, about, false)] };
  }
  const [nodes, old] = await Promise.all([ctx.store.nodes(name), readOld(ctx, name)]);
  const members = nodes
    .filter((node) => node.value.membership !== "pending")
    .map(({ value }) => memberView(ctx, value, old.has(value.id)));
  return { mode, spare, acceptOutage, gate, members };
}

export function memberView(ctx: Context, node: NodeRecord, old: boolean): Member {
  const presence = ctx.live.presence(node.id);
  const isOnline = stateOf(presence, ctx.timing, ctx.now()) === "online";
  // Who has no heartbeat serves, unless it holds the lease.
  const why = node.client === undefined ? ailment(presence, ctx.timing, ctx.now()) : null;
  return {
    id: node.id,
    name: node.name,
    voter: node.voter,
    serving: why === null,
    ailment: why,
    role: isOnline ? (presence?.heartbeat?.health.role ?? null) : null,
    reportsRole: node.known?.reportsRole ?? false,
    canHandOver: presence?.hello.canHandOver ?? node.known?.canHandOver ?? false,
    old,
  };
}

/** Members that are still to be brought somewhere: by a rollout, or by a job of their own. */
async function readOld(ctx: Context, group: string): Promise<ReadonlySet<NodeId>> {
  const [jobs, rollouts] = await Promise.all([
    ctx.store.activeJobsOf(group),
    ctx.store.unfinishedRollouts(group),
  ]);
  const active = rollouts.map(({ value }) => value).filter(isActiveRollout);
  return new Set([...jobs.map(({ value }) => value.nodeId), ...openIn(group, active)]);
}

/** Nodes of the group that these rollouts are not done with. */
export const openIn = (group: string, rollouts: readonly RolloutRecord[]): ReadonlySet<NodeId> =>
  new Set(
    rollouts.flatMap((rollout) =>
      placesIn(rollout, group)
        .filter((place) => !isEnded(place))
        .map((place) => place.nodeId),
    ),
  );
