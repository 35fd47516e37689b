import type { GroupName } from "../../protocol/names.ts";
import { ok, type Result } from "../../protocol/result.ts";
import type { Selection } from "../../protocol/rollout.ts";
import type { GroupRecord, NodeRecord, Stored } from "../store/records.ts";
import type { Context } from "./context.ts";
import type { Refusal } from "./coordinator.ts";
import { noChannel, noGroup, noNode, refuse } from "./refusals.ts";

/** What was selected, and the groups it is in as they were read. */
export type SelectedNodes = {
  readonly nodes: readonly NodeRecord[];
  readonly groups: ReadonlyMap<GroupName, Stored<GroupRecord>>;
};

/**
 * The approved nodes that fit every member of the selection. Refusals: `not-found` for a group, node or channel that is
 * not there, `empty-selection`.
 */
export async function selectNodes(
  ctx: Context,
  selection: Selection,
): Promise<Result<SelectedNodes, Refusal>> {
  const groups = new Map((await ctx.store.groups()).map((group) => [group.value.name, group]));
  const unknown = selection.groups?.find((name) => !groups.has(name));
  if (unknown !== undefined) return noGroup(unknown);
  const all = (await ctx.store.nodes()).map(({ value }) => value);
  const stranger = selection.nodes?.find((each) => !all.some(({ id, name }) => id === each || name === each));
  if (stranger !== undefined) return noNode(stranger);
  const { channel } = selection;
  if (channel !== undefined && (await ctx.store.channel(channel)) === null) return noChannel(channel);
  const named = new Set(selection.nodes);
  const fits = (node: NodeRecord): boolean =>
    node.membership === "approved" &&
    (selection.groups === undefined || selection.groups.includes(node.group)) &&
    (channel === undefined || groups.get(node.group)?.value.channel === channel) &&
    (selection.nodes === undefined || named.has(node.id) || named.has(node.name)) &&
    Object.entries(selection.labels ?? {}).every(([label, value]) => node.labels[label] === value);
  const nodes = Object.keys(selection).length === 0 ? [] : all.filter(fits);
  if (nodes.length === 0) {
    return refuse("empty-selection", "The selection fits no approved node. Nothing was begun.", {
      hint: "Look at the groups, labels and names, and whether the nodes are approved.",
    });
  }
  const inGroups = new Set(nodes.map((node) => node.group));
  return ok({ nodes, groups: new Map([...groups].filter(([name]) => inGroups.has(name))) });
}
