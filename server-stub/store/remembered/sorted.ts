import type { Stored, StoredNode } from "../records.ts";
import type { Records } from "./records.ts";

/** All nodes by name. The order is kept: it changes only when somebody comes or goes. */
export function allNodes(records: Records): readonly StoredNode[] {
  records.byName ??= sorted(records.nodes).map(({ value }) => value.id);
  return records.byName.flatMap((id) => records.nodes.get(id) ?? []);
}

/** By name. */
export const sorted = <T extends Stored<{ readonly name: string }>>(
  of: ReadonlyMap<string, T> = new Map(),
): T[] =>
  [...of.values()].sort((a, b) => (a.value.name < b.value.name ? -1 : a.value.name > b.value.name ? 1 : 0));
