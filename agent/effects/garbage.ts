import { join } from "node:path";
import { COMPLETE_MARKER } from "../../protocol/bundle-rules.ts";
import type { Disk } from "./disk.ts";
import { sweepDownloads } from "./download.ts";
import { fsyncDir, hasCode, removeDurably } from "./durable.ts";
import { type Layout, PREPARING_PREFIX } from "./layout.ts";
import { readLinkOrNull } from "./placed.ts";

/**
 * Removes what was being unpacked, what is left of trials and kits, and downloads but for the newest that was cut off,
 * which the next attempt resumes. With `releases`, when an update has ended, also releases that neither `dist` nor
 * `dist.bak` names, and every download. Returns what is gone from `releases/`.
 *
 * `.complete` goes first, so that a release that is half removed is never taken for whole. When `dist` cannot be
 * read, no release is removed: then nobody knows what is in use. Not to be run while something is being prepared.
 */
export async function collectGarbage(
  disk: Disk,
  layout: Layout,
  { releases }: { readonly releases: boolean },
): Promise<readonly string[]> {
  for (const leftover of [layout.trialNew, layout.trialGone, layout.kit]) await disk.rm(leftover);
  await sweepDownloads(disk, layout.download, releases ? null : await newestPart(disk, layout));
  // What was removed before is not to come back: nobody would look for it again.
  if (releases) await fsyncDir(disk, layout.download);
  const dist = await readLinkOrNull(disk, layout.dist);
  const backup = await readLinkOrNull(disk, layout.backup);
  const gone: string[] = [];
  for (const name of await disk.readdir(layout.releases)) {
    const isPreparing = name.startsWith(PREPARING_PREFIX);
    const isInUse = [dist, backup].includes(`releases/${name}`);
    if (isInUse || (!isPreparing && (dist === null || !releases))) continue;
    const dir = join(layout.releases, name);
    if (!isPreparing) await unseal(disk, dir);
    await disk.rm(dir);
    gone.push(name);
  }
  await fsyncDir(disk, layout.releases);
  return gone;
}

async function unseal(disk: Disk, dir: string): Promise<void> {
  try {
    await removeDurably(disk, join(dir, COMPLETE_MARKER));
  } catch (cause) {
    // Not a directory, or one that is not ours to look into: `rm` says what is to be said.
    if (!hasCode(cause, "ENOTDIR")) throw cause;
  }
}

/** SHA-256 that the newest unfinished download is named by. */
async function newestPart(disk: Disk, { download }: Layout): Promise<string | null> {
  let newest: { sha256: string; changed: number } | null = null;
  for (const name of await disk.readdir(download)) {
    const sha256 = /^([0-9a-f]{64})\.part$/.exec(name)?.[1];
    if (sha256 === undefined) continue;
    const { mtimeMs } = await disk.lstat(join(download, name));
    if (newest === null || mtimeMs > newest.changed) newest = { sha256, changed: mtimeMs };
  }
  return newest?.sha256 ?? null;
}
