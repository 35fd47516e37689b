/** The validator that a download was begun with, beside its part. Losing it costs nothing but certainty. */
import { join } from "node:path";
import type { Disk } from "./disk.ts";
import { hasCode } from "./durable.ts";

const etagPath = (dir: string, sha256: string): string => join(dir, `${sha256}.etag`);

export async function readEtag(disk: Disk, dir: string, sha256: string): Promise<string | null> {
  try {
    const etag = await disk.readText(etagPath(dir, sha256));
    return /^"[\x21\x23-\x7e]*"$/.test(etag) ? etag : null;
  } catch (cause) {
    if (hasCode(cause, "ENOENT")) return null;
    throw cause;
  }
}

export async function writeEtag(disk: Disk, dir: string, sha256: string, etag: string | null): Promise<void> {
  await disk.rm(etagPath(dir, sha256));
  if (etag === null) return;
  const file = await disk.open(etagPath(dir, sha256), "create", 0o600);
  try {
    await file.write(Buffer.from(etag));
  } finally {
    await file.close();
  }
}
