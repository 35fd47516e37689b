import type { GroupName, NodeId } from "../../protocol/names.ts";
import type { Change } from "../store/records.ts";
import type { Store } from "../store/store.ts";

/** How often something was written: what was computed at lower counts may be different now. */
export type WritesNoted = {
  /** Of the node itself: its record, its jobs, and a lease that it holds or owes. And of its group as it is set up. */
  of(node: NodeId, group: GroupName): number;
  /** Of whoever is in the group, itself too. */
  within(group: GroupName): number;
};

/** The same store, which notes of whom it is written. What somebody else writes is not noted. */
export function notedStore(store: Store): { readonly store: Store; readonly writes: WritesNoted } {
  const nodes = new Map<NodeId, number>();
  const groups = new Map<GroupName, number>();
  const members = new Map<GroupName, number>();
  const noted: Pick<Store, "apply"> = {
    async apply(changes) {
      const applied = await store.apply(changes);
      if (applied.ok) for (const change of changes) note(change);
      return applied;
    },
  };
  const more = (counts: Map<string, number>, key: string): void =>
    void counts.set(key, (counts.get(key) ?? 0) + 1);
  const note = (change: Change): void => {
    if (change.kind === "remove-node") more(nodes, change.id);
    if (change.kind === "group") more(groups, change.value.name);
    if (change.kind === "lease") {
      more(members, change.group);
      for (const { nodeId } of change.value.holders) more(nodes, nodeId);
      for (const { nodeId } of change.value.broken) more(nodes, nodeId);
    }
    if (change.kind === "node" || change.kind === "job") {
      more(nodes, change.kind === "node" ? change.value.id : change.value.nodeId);
      more(members, change.value.group);
    }
  };
  return {
    store: Object.assign(Object.create(store) as Store, noted),
    writes: {
      of: (node, group) => (nodes.get(node) ?? 0) + (groups.get(group) ?? 0),
      within: (group) => members.get(group) ?? 0,
    },
  };
}
