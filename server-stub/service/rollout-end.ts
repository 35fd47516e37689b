import type { RolloutNode } from "../../protocol/rollout.ts";
import type { RolloutRecord } from "../core/rollout/rollout.ts";
import type { Change } from "../store/records.ts";
import type { Context } from "./context.ts";
import type { FleetRead } from "./fleet.ts";

/**
 * What a rollout's end means beyond itself. Completed: its release is what the group should be on from now on, if
 * any of its nodes is; one that every node has skipped is nothing to bring later nodes to.
 * Ended early: the nodes that it did update are meant to stay where it left them.
 */
export async function endChanges(
  ctx: Context,
  before: RolloutRecord,
  after: RolloutRecord,
  read: FleetRead,
): Promise<Change[]> {
  const at = ctx.wall();
  const changes: Change[] = [];
  const { status, group: name, release } = after;
  if (status === "completed" && before.status !== "completed") {
    const group = await ctx.store.group(name);
    if (group !== null && after.nodes.some(isOnRelease)) {
      const value = { ...group.value, wanted: { release, at } };
      changes.push({ kind: "group", value, expected: group.revision });
    }
    changes.push({ kind: "resolve", alert: "fleet_update_halted", subject: name, at });
  }
  if (status === "halted" && before.status !== "halted") {
    const message = `The rollout of ${release} to ${name} halted. ${after.reason?.message ?? ""}`.trim();
    changes.push({ kind: "raise", alert: "fleet_update_halted", subject: name, message, at });
  }
  if (status === "halted" || status === "cancelled" || status === "failed") {
    for (const { nodeId, status: nodeStatus } of after.nodes) {
      const node = read.nodes.get(nodeId);
      if (nodeStatus !== "succeeded" || node === undefined || node.value.placed?.release === release)
        continue;
      const value = { ...node.value, placed: { release, at } };
      changes.push({ kind: "node", value, expected: node.revision });
    }
  }
  return changes;
}

const isOnRelease = ({ status, reason }: RolloutNode): boolean =>
  status === "succeeded" || (status === "skipped" && reason?.code === "already-up-to-date");
