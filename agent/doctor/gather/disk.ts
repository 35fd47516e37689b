import { access, constants, lstat, opendir, realpath, statfs } from "node:fs/promises";
import { join } from "node:path";
import { hasCode } from "../../effects/durable.ts";
import type { Layout } from "../../effects/layout.ts";
import type { DiskFacts } from "../disk.ts";

/** Beyond so many files a release is not counted to its end. */
const MAX_FILES = 50_000;

export async function lookAtDisk({ root, dist }: Layout): Promise<DiskFacts> {
  try {
    const { bavail, bsize, ffree, files } = await statfs(root);
    return {
      kind: "found",
      path: root,
      freeBytes: bavail * bsize,
      freeInodes: ffree,
      totalInodes: files,
      readOnly: await isReadOnly(root),
      release: await measure(dist),
    };
  } catch (cause) {
    if (hasCode(cause, "ENOENT")) return { kind: "missing", path: root };
    throw cause;
  }
}

/** The file system, and not this user's rights: those are looked at elsewhere. */
async function isReadOnly(path: string): Promise<boolean> {
  try {
    await access(path, constants.W_OK);
    return false;
  } catch (cause) {
    return hasCode(cause, "EROFS");
  }
}

/** Size of what a link names, following it once; null when it names nothing that may be read. */
async function measure(link: string): Promise<{ bytes: number; files: number } | null> {
  try {
    const size = { bytes: 0, files: 0 };
    await add(await realpath(link), size);
    return size;
  } catch (cause) {
    if (["ENOENT", "ELOOP", "ENOTDIR", "EACCES"].some((code) => hasCode(cause, code))) return null;
    throw cause;
  }
}

async function add(dir: string, size: { bytes: number; files: number }): Promise<void> {
  for await (const entry of await opendir(dir)) {
    size.files += 1;
    if (size.files > MAX_FILES) return;
    if (entry.isDirectory()) await add(join(dir, entry.name), size);
    else if (entry.isFile()) size.bytes += (await lstat(join(dir, entry.name))).size;
  }
}
