import type { NodeId } from "../../protocol/names.ts";
import type { Heard } from "../core/confirm.ts";
import { beatsOf, stateOf } from "../core/presence/presence.ts";
import type { Context } from "./context.ts";

/** What the node's newest session says of the build it runs; null before a heartbeat came in it. */
export function heardOf(ctx: Context, nodeId: NodeId): Heard | null {
  const presence = ctx.live.presence(nodeId);
  if (presence?.heartbeat == null) return null;
  return {
    online: stateOf(presence, ctx.timing, ctx.now()) === "online",
    instanceId: presence.hello.instanceId,
    build: presence.hello.build,
    health: presence.heartbeat.health,
    beats: beatsOf(presence, ctx.timing),
  };
}
