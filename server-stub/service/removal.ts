import type { NodeId } from "../../protocol/names.ts";
import type { RemovalPreview } from "../../protocol/node.ts";
import { ok } from "../../protocol/result.ts";
import { type Budget, budgetOf } from "../core/lease/budget.ts";
import { remove } from "../core/lease/end.ts";
import { holderOf, type LeaseRecord } from "../core/lease/record.ts";
import type { Context } from "./context.ts";
import type { Answer } from "./coordinator.ts";
import { readGroupView } from "./group-view.ts";
import { noNode } from "./refusals.ts";

/** What removing a node would do to its group's quorum; nothing is changed. */
export async function previewRemoval(ctx: Context, nodeId: NodeId): Answer<RemovalPreview> {
  const node = await ctx.store.node(nodeId);
  if (node === null) return noNode(nodeId);
  const { name, group: groupName } = node.value;
  const [group, lease] = [await ctx.store.group(groupName), await ctx.store.lease(groupName)];
  if (group === null || lease === null) throw new Error(`node ${nodeId} is in a group that does not exist`);
  const view = await readGroupView(ctx, group.value, false);
  const without = { ...view, members: view.members.filter((member) => member.id !== nodeId) };
  const before = budgetOf(view, lease.value);
  const after = budgetOf(without, remove(lease.value, nodeId));
  const { mode } = group.value;
  const holdsLease = isHeldBy(lease.value, nodeId);
  const warnings = [
    holdsLease ? `${name} holds a lease, or owes its last word on one: that ends with it.` : null,
    mode === "quorum" && before.voters !== after.voters ? quorumWarning(groupName, before, after) : null,
  ].filter((warning) => warning !== null);
  return ok({
    group: groupName,
    mode,
    votersBefore: before.voters,
    votersAfter: after.voters,
    quorumBefore: before.quorum,
    quorumAfter: after.quorum,
    servingAfter: after.serving.length,
    holdsLease,
    warning: warnings.length === 0 ? null : warnings.join(" "),
  });
}

const isHeldBy = (lease: LeaseRecord, nodeId: NodeId): boolean =>
  holderOf(lease, nodeId) !== undefined || lease.broken.some((broken) => broken.nodeId === nodeId);

function quorumWarning(group: string, before: Budget, after: Budget): string {
  const change = `${group} goes from ${before.voters} voters with a quorum of ${before.quorum} to ${after.voters} with ${after.quorum}.`;
  if (after.voters === 0) return `${change} Nobody votes in it any more.`;
  if (after.serving.length < after.quorum) {
    return `${change} Only ${after.serving.length} of them serve right now, which is no quorum.`;
  }
  return after.voters <= 2
    ? `${change} It can then lose nobody, and is not updated without --accept-outage.`
    : change;
}
