/** What is said of releases: pure. */
import type { Node } from "../../../../protocol/node.ts";
import type { Release } from "../../../../protocol/release.ts";

/** How many members run which version. */
export function runsOf(nodes: readonly Node[]): ReadonlyMap<string, number> {
  const runs = new Map<string, number>();
  for (const { build, membership } of nodes)
    if (build !== null && membership === "approved")
      runs.set(build.version, (runs.get(build.version) ?? 0) + 1);
  return runs;
}

/** The newest first. */
export const newestFirst = (releases: readonly Release[]): readonly Release[] =>
  [...releases].sort((a, b) => b.version.localeCompare(a.version, undefined, { numeric: true }));

/** "12.3 MiB" */
export function sizeOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
