import { DatabaseSync } from "node:sqlite";
import { Kysely } from "kysely";
import { err, ok, type Result } from "../../../protocol/result.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import type { OpenFault } from "../faults.ts";
import { dueOf, type Migrated, migrate, migrationState } from "../sql/migrate.ts";
import { openSqlStore } from "../sql/store.ts";
import type { Tables } from "../sql/tables.ts";
import { transactHere } from "../sql/transact.ts";
import type { Store } from "../store.ts";
import { copyDatabase } from "./copy.ts";
import { nodeSqliteDialect } from "./dialect.ts";

/**
 * Opens the coordinator's database, makes it when there is none, and brings its tables up to date. What `apply`
 * said is on the disk before it answers (`synchronous=FULL`). One process only: the file stays locked until
 * `close` or the end of the process, however it ends. `now`: the wall clock that events are stamped with.
 * Errors: `store-in-use`, `store-newer` (a newer coordinator wrote it), `store-unusable`; the file is left as it was.
 */
export async function openSqliteStore(
  file: string,
  now: () => EpochMs = Date.now,
): Promise<Result<Store, OpenFault>> {
  const opened = openDatabase(file);
  if (!opened.ok) return opened;
  const database = opened.value;
  const db = new Kysely<Tables>({ dialect: nodeSqliteDialect(database) });
  // Nobody else can have it open: all of it at once.
  const migrated = await migrate(db, { contract: true });
  if (!migrated.ok) {
    await db.destroy();
    return err({ ...migrated.error, message: `${file}: ${migrated.error.message}` });
  }
  return ok(
    openSqlStore(db, now, {
      transact: transactHere(db),
      copyTo: (copy) => copyDatabase(db, database, copy),
      // By `exec`, which goes on until all of the pages are given back.
      reclaim: () => database.exec(`pragma incremental_vacuum(${RECLAIM_PAGES})`),
    }),
  );
}

/**
 * Brings the tables up to date without opening the store, as opening it would; `dryRun`: says what it would do.
 * Errors: as of opening it.
 */
export async function migrateSqlite(
  file: string,
  { dryRun }: { readonly dryRun: boolean },
): Promise<Result<Migrated, OpenFault>> {
  const opened = openDatabase(file);
  if (!opened.ok) return opened;
  const db = new Kysely<Tables>({ dialect: nodeSqliteDialect(opened.value) });
  try {
    const state = await migrationState(db);
    const done = dryRun && state.ok ? ok(dueOf(state.value, true)) : await migrate(db, { contract: true });
    return done.ok ? done : err({ ...done.error, message: `${file}: ${done.error.message}` });
  } finally {
    await db.destroy();
  }
}

function openDatabase(file: string): Result<DatabaseSync, OpenFault> {
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(file, { enableForeignKeyConstraints: true, timeout: 0 });
  } catch (cause) {
    return err(unusable(file, cause));
  }
  try {
    claim(database);
    return ok(database);
  } catch (cause) {
    database.close();
    return err(isBusy(cause) ? inUse(file) : unusable(file, cause));
  }
}

/** Pages that are given back in one go: a few milliseconds at most. */
const RECLAIM_PAGES = 256;

/** The exclusive lock comes first, so that no shared memory is ever made and a second process fails at once. */
function claim(database: DatabaseSync): void {
  database.exec("pragma locking_mode = exclusive");
  // Heeded before the first table is made; a database that is older than this gives its room back to itself only.
  database.exec("pragma auto_vacuum = incremental");
  database.exec("pragma journal_mode = wal");
  database.exec("pragma synchronous = full");
  database.exec("pragma foreign_keys = on");
  database.exec("begin exclusive; commit");
}

const isBusy = (cause: unknown): boolean =>
  cause instanceof Error && "errcode" in cause && (Number(cause.errcode) & 0xff) === 5;

const inUse = (file: string): OpenFault => ({
  code: "store-in-use",
  message: `Another coordinator has ${file} open.`,
  hint: "Stop it first: one process at a time may use a SQLite store. Nothing was changed.",
  context: { file },
});

const unusable = (file: string, cause: unknown): OpenFault => ({
  code: "store-unusable",
  message: `${file} cannot be used as the coordinator's database: ${cause instanceof Error ? cause.message : String(cause)}.`,
  hint: "Check that the directory exists and belongs to the coordinator's user. Nothing was changed.",
  context: { file },
});
