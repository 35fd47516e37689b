/**
 * Bundles that no release names any more. When that was first seen is written down, since nothing in a file's own
 * dates says it; a bundle that is published again in time is forgotten here and stays.
 */
import { join } from "node:path";
import type { TargetsMetadata } from "../../protocol/metadata.ts";
import { parseJson } from "../../protocol/parse.ts";
import { Type } from "../../protocol/schema.ts";
import type { DurationMs, EpochMs } from "../../protocol/time.ts";
import { targetPath } from "../../protocol/trust.ts";
import { bundlesOf } from "./check-targets.ts";
import type { RepositoryFiles } from "./files.ts";

/** By the bundle's path below `targets/`: since when. */
const Withdrawn = Type.Record(Type.String(), Type.Integer());

/** Removes bundles that have been withdrawn for longer than `afterMs`, and answers their paths below `targets/`. */
export async function sweepWithdrawn(
  files: RepositoryFiles,
  dir: string,
  targets: TargetsMetadata,
  now: EpochMs,
  afterMs: DurationMs,
): Promise<string[]> {
  const named = new Set(bundlesOf(targets).map(({ name, sha256 }) => targetPath(name, sha256)));
  const noted = join(dir, "withdrawn.json");
  const before = await readNoted(files, noted);
  const withdrawn: Record<string, number> = {};
  const removed: string[] = [];
  for (const version of await files.list(join(dir, "targets"))) {
    for (const file of await files.list(join(dir, "targets", version))) {
      const path = `${version}/${file}`;
      if (named.has(path)) continue;
      const since = Math.min(before[path] ?? now, now);
      if (now - since >= afterMs) {
        await files.remove(join(dir, "targets", path));
        removed.push(path);
      } else withdrawn[path] = since;
    }
  }
  if (JSON.stringify(withdrawn) !== JSON.stringify(before)) {
    await files.write(noted, `${JSON.stringify(withdrawn, null, 2)}\n`, 0o644);
  }
  return removed;
}

/** What cannot be read is begun anew: at worst a bundle stays for longer. */
async function readNoted(files: RepositoryFiles, path: string): Promise<Record<string, number>> {
  const text = await files.read(path);
  const parsed = text === null ? null : parseJson(Withdrawn, text, path);
  return parsed?.ok === true ? parsed.value : {};
}
