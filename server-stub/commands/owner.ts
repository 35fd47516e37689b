import { stat } from "node:fs/promises";

/**
 * As root, becomes the user whose the directory is, for the rest of the process: what root made there, the service
 * could not write. Does nothing for others, and when there is no such directory yet.
 */
export async function becomeOwnerOf(dir: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const owner = await stat(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (owner === null || owner.uid === 0) return;
  process.setgroups?.([owner.gid]);
  process.setgid?.(owner.gid);
  process.setuid?.(owner.uid);
}
