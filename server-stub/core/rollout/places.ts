/**
 * Finding places of a rollout without going through all of them. Records never change, so what was found once is
 * kept as long as the record is.
 */
import type { GroupName, NodeId } from "../../../protocol/names.ts";
import type { RolloutNode } from "../../../protocol/rollout.ts";
import type { Place, RolloutRecord } from "./rollout.ts";

export const placeOf = ({ nodes }: Pick<RolloutRecord, "nodes">, id: NodeId): Place | undefined =>
  byNode(nodes).get(id);

/** The places of a group, in their order. */
export const placesIn = ({ nodes }: Pick<RolloutRecord, "nodes">, group: GroupName): readonly Place[] =>
  byGroup(nodes).get(group) ?? [];

/** The groups that the rollout has nodes of. */
export const hasGroup = ({ nodes }: Pick<RolloutRecord, "nodes">, group: GroupName): boolean =>
  byGroup(nodes).has(group);
export const groupsOf = ({ nodes }: Pick<RolloutRecord, "nodes">): readonly GroupName[] => [
  ...byGroup(nodes).keys(),
];

/** What goes as one: the nodes of a quorum group, or an independent node. */
export type Units = {
  readonly isQuorum: (node: Pick<RolloutNode, "group">) => boolean;
  readonly of: (node: Pick<RolloutNode, "nodeId" | "group">) => string;
};

export function unitsOf({ quorumGroups }: Pick<RolloutRecord, "quorumGroups">): Units {
  const names = unitNames(quorumGroups);
  return {
    isQuorum: ({ group }) => names.has(group),
    of: ({ group, nodeId }) => names.get(group) ?? nodeId,
  };
}

const byNode = kept(
  (nodes: readonly Place[]): ReadonlyMap<NodeId, Place> => new Map(nodes.map((node) => [node.nodeId, node])),
);

const byGroup = kept(
  (nodes: readonly Place[]): ReadonlyMap<GroupName, readonly Place[]> =>
    Map.groupBy(nodes, ({ group }) => group),
);

/** A group may be called like a node's id. */
const unitNames = kept(
  (names: readonly GroupName[]): ReadonlyMap<GroupName, string> =>
    new Map(names.map((name) => [name, `group ${name}`])),
);

function kept<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const made = new WeakMap<K, V>();
  return (key) => {
    const before = made.get(key);
    if (before !== undefined) return before;
    const value = make(key);
    made.set(key, value);
    return value;
  };
}
