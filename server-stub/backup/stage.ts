/** Puts together what a backup holds, in a directory beside what is in use. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { EpochMs } from "../../protocol/time.ts";
import type { Repository } from "../repository/repository.ts";
import type { Store } from "../store/store.ts";
import { BACKUP_FORMAT, type BackupManifest, type BackupMember, DATABASE, MANIFEST } from "./manifest.ts";

export type StageOptions = {
  readonly keysDir: string;
  /** Empty, and its owner's alone. */
  readonly dir: string;
  readonly withKeys: boolean;
  readonly withBundles: boolean;
  readonly version: string;
  readonly settingsSha256: string;
  readonly now: EpochMs;
};

/**
 * The database as it is at one instant, then the signed metadata: newer than the database at most, which harms
 * nothing. Bundles are linked and not copied.
 */
export async function stageBackup(
  store: Pick<Store, "copyTo" | "meta">,
  repository: Pick<Repository, "copyTo">,
  options: StageOptions,
): Promise<BackupManifest> {
  const { dir, keysDir, withKeys, withBundles, version, settingsSha256, now } = options;
  if (store.copyTo === null) throw new Error("this store is no file: its own tools make its backup");
  const { tokenEpoch } = (await store.meta()).value;
  await store.copyTo(join(dir, DATABASE));
  const versions = await repository.copyTo(join(dir, "repository"), withBundles);
  if (withKeys) {
    await mkdir(join(dir, "keys"), { mode: 0o700 });
    for (const name of await readdir(keysDir))
      if (name.endsWith(".pem")) await copyFile(join(keysDir, name), join(dir, "keys", name));
  }
  const members: BackupMember[] = [];
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = relative(dir, join(entry.parentPath, entry.name));
    members.push({ path, ...(await hashFile(join(dir, path))) });
  }
  members.sort((a, b) => (a.path < b.path ? -1 : 1));
  const manifest: BackupManifest = {
    format: BACKUP_FORMAT,
    version,
    madeAt: now,
    tokenEpoch,
    settingsSha256,
    ...versions,
    keys: withKeys,
    bundles: withBundles,
    members,
  };
  await writeFile(join(dir, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

export async function hashFile(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return { bytes: (await stat(path)).size, sha256: hash.digest("hex") };
}
