import { stat } from "node:fs/promises";

/**
 * As root, becomes the user whose the directory is, for the rest of the process: what root made there, the service
 * could not write. Does nothing for others, and when there is no such directory yet.
 */
export async function becomeOwnerOf(dir: string): Promise<void> {
  const owner = await otherOwnerOf(dir);
  if (owner === null) return;
  process.setgroups?.([owner.gid]);
  process.setgid?.(owner.gid);
  process.setuid?.(owner.uid);
}

/** The same for the length of `work` alone: before and after it, files are those of who runs this. */
export async function actAsOwnerOf<T>(dir: string, work: () => Promise<T>): Promise<T> {
  const owner = await otherOwnerOf(dir);
  if (owner === null) return work();
  process.setegid?.(owner.gid);
  process.seteuid?.(owner.uid);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}

/** Null unless this is root, and somebody else's directory. */
async function otherOwnerOf(dir: string): Promise<{ uid: number; gid: number } | null> {
  if (process.getuid?.() !== 0) return null;
  const owner = await stat(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  return owner === null || owner.uid === 0 ? null : owner;
}
