import { basename, dirname, join } from "node:path";
import type { Disk } from "./disk.ts";

/**
 * Writes that survive a power cut. Each function returns only when its effect is on the disk, and a crash before
 * that leaves the old state or the new one, never a mixture: a temporary name beside, fsync, rename, fsync of the
 * directory. The temporary name is fixed, so that a crash leaves at most one per file; two writers of one path at
 * a time are a bug of theirs.
 */

/** The name beside `path` under which its next content is prepared. */
export const temporaryName = (path: string): string => join(dirname(path), `.${basename(path)}.tmp`);

/** Whether it is a name that a crash may leave behind, and nobody reads. */
export const isTemporaryName = (name: string): boolean => /^\..+\.tmp$/.test(name);

/** Replaces the content of `path`, or creates it with `mode`. On an error the old content stands. */
export async function writeDurably(
  disk: Disk,
  path: string,
  data: string | Uint8Array,
  mode = 0o644,
): Promise<void> {
  const temporary = temporaryName(path);
  await removeIfThere(disk, temporary);
  try {
    const file = await disk.open(temporary, "create", mode);
    try {
      await file.write(typeof data === "string" ? Buffer.from(data) : data);
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await disk.rename(temporary, path);
  } catch (cause) {
    await removeIfThere(disk, temporary);
    throw cause;
  }
  await fsyncDir(disk, dirname(path));
}

/** Makes `path` a symbolic link to `target`, in one step if there was something: a flip. */
export async function linkDurably(disk: Disk, target: string, path: string): Promise<void> {
  const temporary = temporaryName(path);
  await removeIfThere(disk, temporary);
  try {
    await disk.symlink(target, temporary);
    await disk.rename(temporary, path);
  } catch (cause) {
    await removeIfThere(disk, temporary);
    throw cause;
  }
  await fsyncDir(disk, dirname(path));
}

/** Renames and makes it last, in both directories if they are two. */
export async function renameDurably(disk: Disk, from: string, to: string): Promise<void> {
  await disk.rename(from, to);
  await fsyncDir(disk, dirname(to));
  if (dirname(from) !== dirname(to)) await fsyncDir(disk, dirname(from));
}

/** Removes a file or link; nothing there is fine. */
export async function removeDurably(disk: Disk, path: string): Promise<void> {
  if (await removeIfThere(disk, path)) await fsyncDir(disk, dirname(path));
}

/** Removes a tree; nothing there is fine. A crash in the middle leaves a part of it. */
export async function removeTreeDurably(disk: Disk, path: string): Promise<void> {
  await disk.rm(path);
  await fsyncDir(disk, dirname(path));
}

/** Creates a directory and those above it that are missing, each with `mode`. One that is there keeps its mode. */
export async function makeDirDurably(disk: Disk, path: string, mode = 0o755): Promise<void> {
  try {
    await disk.mkdir(path, mode);
  } catch (cause) {
    if (hasCode(cause, "ENOENT") && dirname(path) !== path) {
      await makeDirDurably(disk, dirname(path), mode);
      return makeDirDurably(disk, path, mode);
    }
    if (!hasCode(cause, "EEXIST")) throw cause;
  }
  await fsyncDir(disk, dirname(path));
}

/** Makes the names in a directory last. */
export async function fsyncDir(disk: Disk, path: string): Promise<void> {
  const dir = await disk.open(path, "read");
  try {
    await dir.sync();
  } finally {
    await dir.close();
  }
}

/** Whether an error is the system's, with this code, such as `ENOENT`. */
export const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code;

async function removeIfThere(disk: Disk, path: string): Promise<boolean> {
  try {
    await disk.unlink(path);
    return true;
  } catch (cause) {
    if (hasCode(cause, "ENOENT")) return false;
    throw cause;
  }
}
