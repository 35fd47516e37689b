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
  /** Everybody there is, as they were read with them. */
  readonly all: readonly NodeRecord[];
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
  const stranger = findStranger(all, selection.nodes ?? []);
  if (stranger !== undefined) return noNode(stranger);
  const { channel } = selection;
  if (channel !== undefined && (await ctx.store.channel(channel)) === null) return noChannel(channel);
  const nodes = isNobody(selection) ? [] : all.filter(fitting(selection, groups));
  if (nodes.length === 0) {
    return refuse("empty-selection", "The selection fits no approved node. Nothing was begun.", {
      hint: "Look at the groups, labels and names, and whether the nodes are approved.",
    });
  }
  const inGroups = new Set(nodes.map((node) => node.group));
  return ok({ nodes, groups: new Map([...groups].filter(([name]) => inGroups.has(name))), all });
}

/** It says nothing at all; no labels are nothing said. */
export const isNobody = ({ labels = {}, ...rest }: Selection): boolean =>
  Object.keys(rest).length + Object.keys(labels).length === 0;

function fitting(
  { groups, nodes, labels = {}, channel }: Selection,
  all: ReadonlyMap<GroupName, Stored<GroupRecord>>,
): (node: NodeRecord) => boolean {
  const inGroups = groups === undefined ? null : new Set(groups);
  const named = nodes === undefined ? null : new Set(nodes);
  const labelled = Object.entries(labels);
  return (node) =>
    node.membership === "approved" &&
    node.client === undefined &&
    (inGroups === null || inGroups.has(node.group)) &&
    (named === null || named.has(node.id) || named.has(node.name)) &&
    (channel === undefined || all.get(node.group)?.value.channel === channel) &&
    labelled.every(([label, value]) => node.labels[label] === value);
}

/** The first of these ids and names that is nobody's. */
export function findStranger(all: readonly NodeRecord[], asked: readonly string[]): string | undefined {
  if (asked.length === 0) return undefined;
  const known = new Set(all.flatMap(({ id, name }) => [id, name]));
  return asked.find((each) => !known.has(each));
}
