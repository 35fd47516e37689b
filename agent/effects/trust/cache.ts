/**
 * The verified metadata on disk: `current` is a link to a directory that holds one whole, fsynced set. A new set is
 * written beside and the link is flipped, so a crash leaves the old set or the new one, never parts of both.
 *
 * Nothing here is believed: what is read goes through verification again, and what does not verify is fetched anew.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Disk } from "../disk.ts";
import { fsyncDir, hasCode, linkDurably, makeDirDurably } from "../durable.ts";
import { readLinkOrNull } from "../placed.ts";

/** The files of a set, as bytes. Any may be missing or torn. */
export type MetadataSet = {
  readonly root: Buffer | null;
  readonly timestamp: Buffer | null;
  readonly snapshot: Buffer | null;
  readonly targets: Buffer | null;
};

const FILES = ["root", "timestamp", "snapshot", "targets"] as const;
const CURRENT = "current";
const SET = "set-";

export const EMPTY_SET: MetadataSet = { root: null, timestamp: null, snapshot: null, targets: null };

export async function readSet(disk: Disk, dir: string): Promise<MetadataSet> {
  const read = async (name: string): Promise<Buffer | null> => {
    try {
      return Buffer.from(await disk.readFile(join(dir, CURRENT, `${name}.json`)));
    } catch (cause) {
      if (GONE.some((code) => hasCode(cause, code))) return null;
      throw cause;
    }
  };
  const [root, timestamp, snapshot, targets] = await Promise.all(FILES.map(read));
  return {
    root: root ?? null,
    timestamp: timestamp ?? null,
    snapshot: snapshot ?? null,
    targets: targets ?? null,
  };
}

/** Makes `set` the current one, durably. On an error the old one stands, and nothing of the new one is left. */
export async function swapSet(disk: Disk, dir: string, set: MetadataSet): Promise<void> {
  await makeDirDurably(disk, dir, 0o700);
  const name = `${SET}${randomUUID()}`;
  try {
    await disk.mkdir(join(dir, name), 0o700);
    for (const file of FILES) {
      const bytes = set[file];
      if (bytes !== null) await writeAndSync(disk, join(dir, name, `${file}.json`), bytes);
    }
    await fsyncDir(disk, join(dir, name));
    await linkDurably(disk, name, join(dir, CURRENT));
  } catch (cause) {
    if ((await readLinkOrNull(disk, join(dir, CURRENT))) !== name) await disk.rm(join(dir, name));
    throw cause;
  }
}

/** Removes the sets that are not current: those of before, and what a crash left. There must be a current one. */
export async function sweepSets(disk: Disk, dir: string): Promise<void> {
  const current = await disk.readlink(join(dir, CURRENT));
  const others = (await disk.readdir(dir)).filter((name) => name.startsWith(SET) && name !== current);
  for (const name of others) await disk.rm(join(dir, name));
  if (others.length > 0) await fsyncDir(disk, dir);
}

/** What the disk says when a file, or what should hold it, is not there or is something else. */
const GONE = ["ENOENT", "ENOTDIR", "EISDIR", "ELOOP"];

async function writeAndSync(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  const file = await disk.open(path, "create", 0o600);
  try {
    await file.write(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
