import { join } from "node:path";
import type { Placed } from "../core/journal.ts";
import type { Disk } from "./disk.ts";
import { hasCode } from "./durable.ts";
import { readSeal, readVersionJson } from "./release.ts";

/** What `link` (`dist` or `dist.bak`, below `root`) names; null when it is missing, odd, or names nothing complete. */
export async function readPlaced(
  disk: Disk,
  root: string,
  link: "dist" | "dist.bak",
): Promise<Placed | null> {
  const text = await readLinkOrNull(disk, join(root, link));
  if (text === null || !/^releases\/[^/]+$/.test(text)) return null;
  const dir = join(root, text);
  const seal = await readSeal(disk, dir);
  if (seal === null) return null;
  const versionJson = await readVersionJson(disk, dir);
  if (!versionJson.ok || versionJson.value.buildHash !== seal.buildHash) return null;
  return { build: { version: versionJson.value.version, buildHash: seal.buildHash }, link: text };
}

/** The text of a link, or null when there is no link. */
export async function readLinkOrNull(disk: Disk, path: string): Promise<string | null> {
  try {
    return await disk.readlink(path);
  } catch (cause) {
    if (hasCode(cause, "ENOENT") || hasCode(cause, "EINVAL") || hasCode(cause, "ENOTDIR")) return null;
    throw cause;
  }
}
