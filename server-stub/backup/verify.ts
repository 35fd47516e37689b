import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { FaultError } from "../../protocol/result.ts";
import { realFiles } from "../repository/files.ts";
import { readState } from "../repository/state.ts";
import { openSqliteStore } from "../store/sqlite/open.ts";
import { checkDatabase } from "./database.ts";
import { type BackupManifest, DATABASE } from "./manifest.ts";
import { damaged, unpackBackup } from "./unpack.ts";

/**
 * Whether a backup could be restored: unpacks it below `tmpDir`, looks at every byte, at the database and at the
 * signatures, and removes it again. Throws `FaultError`: `backup-damaged`, `store-newer`.
 */
export async function verifyBackup(source: Readable, tmpDir: string): Promise<BackupManifest> {
  const dir = await mkdtemp(join(tmpDir, "baton-verify-"));
  try {
    const manifest = await unpackBackup(source, (path) => join(dir, path));
    checkDatabase(join(dir, DATABASE));
    const store = await openSqliteStore(join(dir, DATABASE));
    if (!store.ok) throw new FaultError(store.error);
    await store.value.close();
    const state = await readState(realFiles, join(dir, "repository", "metadata"));
    const found = { root: state.root, targets: state.targets, snapshot: state.snapshot };
    for (const role of ["root", "targets", "snapshot"] as const) {
      const version = found[role]?.signed.version ?? null;
      if (version !== manifest[role])
        throw damaged(`its ${role} metadata is version ${version}, and ${manifest[role]} was backed up`);
    }
    return manifest;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
