/**
 * The flips of `dist` and `dist.bak`. Each is one `rename(2)` of a symbolic link over another, so that the name
 * points to one complete build or to the other at every instant, never to nothing.
 *
 * Who calls `flip` holds an in-flight lease; the machine sees to that. Here it is only looked at once more that
 * both sides are complete, that `dist` is what the swap started from, and that it is not too late.
 */
import { join } from "node:path";
import { FaultError } from "../../protocol/result.ts";
import type { Placed, Swap } from "../core/journal.ts";
import type { Disk } from "./disk.ts";
import { fsyncDir, linkDurably, removeDurably } from "./durable.ts";
import type { Layout } from "./layout.ts";
import { readLinkOrNull } from "./placed.ts";
import { readSeal } from "./release.ts";

/**
 * `dist.bak -> from`, then `dist -> to`: the commit point. `too-late` when `isTooLate` says so just before it; then
 * `dist` was not touched. Rejects when the disk refuses, and then `dist` was not touched either.
 */
export async function flip(
  disk: Disk,
  layout: Layout,
  { from, to }: Swap,
  isTooLate: () => boolean,
): Promise<"flipped" | "too-late"> {
  await requireComplete(disk, layout, to);
  const names = await readLinkOrNull(disk, layout.dist);
  if (names !== from.link) {
    throw new FaultError({
      code: "dist-changed",
      message: `dist names ${names ?? "nothing"} and not ${from.link} any more; nothing was swapped.`,
      hint: "Somebody changed it by hand; restart the agent.",
    });
  }
  if (isTooLate()) return "too-late";
  await linkDurably(disk, from.link, layout.backup);
  if (isTooLate()) return "too-late";
  try {
    await linkDurably(disk, to.link, layout.dist);
  } catch (cause) {
    // After the rename there is no way but forward: what dist names decides, here as after a crash.
    if ((await readLinkOrNull(disk, layout.dist)) !== to.link) throw cause;
  }
  return "flipped";
}

/**
 * `dist -> from`. May be repeated. When no new link can be made, on a full disk, the one that lies ready in
 * `trial/` is renamed over `dist`.
 */
export async function flipBack(disk: Disk, layout: Layout, { from }: Swap): Promise<void> {
  if ((await readLinkOrNull(disk, layout.dist)) === from.link) return fsyncDir(disk, layout.root);
  await requireComplete(disk, layout, from);
  try {
    await linkDurably(disk, from.link, layout.dist);
  } catch (cause) {
    const ready = join(layout.trial, "back");
    if ((await readLinkOrNull(disk, ready)) !== from.link) throw cause;
    await disk.rename(ready, layout.dist);
    await fsyncDir(disk, layout.root);
    await fsyncDir(disk, layout.trial);
  }
}

/** `dist.bak -> backup`, or no `dist.bak` when there was none. May be repeated. */
export async function restoreBackup(disk: Disk, layout: Layout, backup: Placed | null): Promise<void> {
  if (backup === null) return removeDurably(disk, layout.backup);
  if ((await readLinkOrNull(disk, layout.backup)) === backup.link) return fsyncDir(disk, layout.root);
  await linkDurably(disk, backup.link, layout.backup);
}

async function requireComplete(disk: Disk, layout: Layout, { build, link }: Placed): Promise<void> {
  const seal = await readSeal(disk, join(layout.root, link));
  if (seal?.buildHash === build.buildHash) return;
  throw new FaultError({
    code: "release-incomplete",
    message: `${link} is not the complete release that it should be, so dist was not set to it.`,
    hint: "Run the update again, or install a build: agent install FILE.",
  });
}
