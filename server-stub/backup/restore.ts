/**
 * Restores a backup: everything is unpacked, verified and made ready aside, and only then put in the place of what was
 * there, which is kept. Source: docs/adr/0080-a-restore-is-newer-than-everything-it-forgot.md.
 */
import { randomUUID } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { FaultError } from "../../protocol/result.ts";
import type { EpochMs } from "../../protocol/time.ts";
import { restoreEpoch } from "../core/lease/epoch.ts";
import { type CarriedOver, carryOver } from "../repository/carry-over.ts";
import { linkOrCopy } from "../repository/copy.ts";
import { syncDirectory } from "../repository/files.ts";
import { Repository } from "../repository/repository.ts";
import { attempt } from "../service/attempt.ts";
import { markRestored } from "../service/restart.ts";
import { openSqliteStore } from "../store/sqlite/open.ts";
import { checkDatabase, holdDatabase } from "./database.ts";
import { type BackupManifest, DATABASE } from "./manifest.ts";
import { finishSwap, type Move, swapIn } from "./swap.ts";
import { unpackBackup } from "./unpack.ts";

export type Places = {
  readonly stateDir: string;
  readonly databaseFile: string;
  readonly repositoryDir: string;
  readonly keysDir: string;
};

export type Restored = {
  readonly manifest: BackupManifest;
  readonly tokenEpoch: number;
  /** What the replaced repository knew beyond the backup. */
  readonly carried: CarriedOver;
  /** Whether snapshot and timestamp were signed above all that agents can have seen; if not, why. */
  readonly signed: true | string;
  /** Named by the signed metadata, and in neither the backup nor what was replaced. */
  readonly missingBundles: readonly string[];
  /** Where what was there is now; null when there was nothing. */
  readonly replaced: string | null;
};

/**
 * Versions of snapshot and timestamp are seconds, or one more than the last: those that the backup has forgotten may
 * be ahead of the clock by as many as were signed in a hurry, and by how much the clock was ahead.
 */
const MARGIN = 86_400;

/**
 * To be called while no coordinator runs. Throws `FaultError`: `database-exists` (without `force`), `store-in-use`,
 * `backup-damaged`, `store-newer`; everything is as it was then, and after a crash before the renames begin.
 */
export async function restoreBackup(
  places: Places,
  source: Readable,
  { force, now }: { readonly force: boolean; readonly now: EpochMs },
): Promise<Restored> {
  await mkdir(places.stateDir, { recursive: true, mode: 0o700 });
  await finishSwap(places.stateDir);
  const isThere = await exists(places.databaseFile);
  if (isThere && !force) throw new FaultError(databaseExists(places.databaseFile));
  const held = isThere ? holdDatabase(places.databaseFile) : null;
  const dir = await mkdtemp(join(places.stateDir, ".restore-"));
  const database = join(dirname(places.databaseFile), `.restore-${randomUUID()}.db`);
  let replaced: string | null = null;
  try {
    const placeOf = (path: string) => (path === DATABASE ? database : join(dir, path));
    const manifest = await unpackBackup(source, placeOf);
    const tokenEpoch = await prepareDatabase(database, manifest, now, held?.tokenEpoch ?? 0);
    const ready = await prepareRepository(dir, places, isThere, now);
    const aside = await mkdtemp(join(places.stateDir, `replaced-${stamp(now)}-`));
    replaced = aside;
    await syncAll(dir);
    const moves = movesOf(places, { dir, database, replaced: aside });
    held?.release();
    await swapIn(places.stateDir, moves, [dir]);
    const wasThere = (await readdir(aside)).length > 0;
    if (!wasThere) await rm(aside, { recursive: true });
    return { manifest, tokenEpoch, ...ready, replaced: wasThere ? aside : null };
  } catch (error) {
    held?.release();
    // Once the renames have begun they are finished by whoever comes next, and need what is here.
    if (!(await exists(join(places.stateDir, "restore.json")))) {
      for (const path of [dir, replaced, database, `${database}-wal`])
        if (path !== null) await rm(path, { recursive: true, force: true });
    }
    throw error;
  }
}

/** Brings its tables up to date, and says that writes were lost. Answers the epoch of tokens from now on. */
async function prepareDatabase(
  file: string,
  { madeAt }: BackupManifest,
  now: EpochMs,
  replacedEpoch: number,
): Promise<number> {
  checkDatabase(file);
  const store = await openSqliteStore(file);
  if (!store.ok) throw new FaultError(store.error);
  try {
    const epoch = await markRestored(store.value, now, Math.max(restoreEpoch(now), replacedEpoch + 1));
    await attempt(store.value, async () => {
      const { value, revision } = await store.value.meta();
      const meta = { ...value, backedUpAt: madeAt };
      return { changes: [{ kind: "meta", value: meta, expected: revision }], answer: undefined };
    });
    return epoch;
  } finally {
    await store.value.close();
  }
}

async function prepareRepository(
  dir: string,
  { repositoryDir, keysDir }: Places,
  isThere: boolean,
  now: EpochMs,
): Promise<Pick<Restored, "carried" | "signed" | "missingBundles">> {
  const [restored, keys] = [join(dir, "repository"), join(dir, "keys")];
  await mkdir(join(restored, "metadata"), { recursive: true });
  await mkdir(keys, { recursive: true, mode: 0o700 });
  // Keys count only where a root names them, so that all there are may lie beside each other.
  const held = new Set(await readdir(keys));
  for (const name of await namesIn(keysDir))
    if (name.endsWith(".pem") && !held.has(name)) await copyFile(join(keysDir, name), join(keys, name));
  const carried = await carryOver(
    isThere ? join(repositoryDir, "metadata") : null,
    join(restored, "metadata"),
  );
  const repository = await Repository.open({ dir: restored, keysDir: keys, now: () => now });
  for (const { path } of await repository.missingBundles()) {
    const there = join(repositoryDir, "targets", path);
    if (await exists(there)) await linkOrCopy(there, join(restored, "targets", path));
  }
  const issued = Math.floor(now / 1000) + MARGIN;
  const signed = await repository.signAbove({
    snapshot: Math.max(carried.snapshot, issued),
    timestamp: Math.max(carried.timestamp, issued),
  });
  return {
    carried,
    signed: signed.ok ? true : signed.error.message,
    missingBundles: (await repository.missingBundles()).map(({ name }) => name),
  };
}

function movesOf(
  { databaseFile, repositoryDir, keysDir }: Places,
  { dir, database, replaced }: { dir: string; database: string; replaced: string },
): Move[] {
  // Beside the database, which need not be on the state directory's file system.
  const beside = dirname(databaseFile) === dirname(replaced);
  const old = beside ? join(replaced, DATABASE) : `${databaseFile}.${replaced.split("/").at(-1)}`;
  return [
    // First what belongs to the old database: a new one must not find it.
    { from: null, to: `${databaseFile}-wal`, aside: `${old}-wal` },
    { from: null, to: `${databaseFile}-shm`, aside: `${old}-shm` },
    { from: database, to: databaseFile, aside: old },
    { from: join(dir, "repository"), to: repositoryDir, aside: join(replaced, "repository") },
    { from: join(dir, "keys"), to: keysDir, aside: join(replaced, "keys") },
  ];
}

async function syncAll(dir: string): Promise<void> {
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true }))
    if (entry.isDirectory()) await syncDirectory(join(entry.parentPath, entry.name));
  await syncDirectory(dir);
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return false;
      throw error;
    },
  );

const namesIn = async (dir: string): Promise<string[]> => ((await exists(dir)) ? readdir(dir) : []);

/** `2026-11-21T101500Z`: sorts, and is a name everywhere. */
const stamp = (now: EpochMs): string => new Date(now).toISOString().replace(/:|\.\d+/g, "");

const databaseExists = (file: string) => ({
  code: "database-exists",
  message: `There is a database at ${file} already.`,
  hint: "Say --force to restore over it; what is there now is kept beside it. Nothing was changed.",
});
