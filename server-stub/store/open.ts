import { ok, type Result } from "../../protocol/result.ts";
import type { EpochMs } from "../../protocol/time.ts";
import type { OpenFault } from "./faults.ts";
import type { PostgresAddress } from "./postgres/address.ts";
import type { PostgresStore } from "./postgres/open.ts";
import type { Migrated } from "./sql/migrate.ts";
import { migrateSqlite, openSqliteStore } from "./sqlite/open.ts";
import type { Store } from "./store.ts";

/** Where the database is: at a server, or else in a file. */
export type DatabasePlace = { readonly databaseFile: string; readonly postgres: PostgresAddress | null };

export type OpenedStore = {
  readonly store: Store;
  /** What a server has to be asked now and then; null for a file. */
  readonly database: Omit<PostgresStore, "store"> | null;
};

/** Opens the store, wherever it is. PostgreSQL's client is loaded only where it is used. Errors: `OpenFault`. */
export async function openStore(
  { databaseFile, postgres }: DatabasePlace,
  now: () => EpochMs = Date.now,
): Promise<Result<OpenedStore, OpenFault>> {
  if (postgres === null) {
    const opened = await openSqliteStore(databaseFile, now);
    return opened.ok ? ok({ store: opened.value, database: null }) : opened;
  }
  const { openPostgresStore } = await import("./postgres/open.ts");
  const opened = await openPostgresStore(postgres, now);
  if (!opened.ok) return opened;
  const { store, ...database } = opened.value;
  return ok({ store, database });
}

/** Brings the tables up to date, or says what that would be. Errors: `OpenFault`; then they are as they were. */
export async function migrateStore(
  { databaseFile, postgres }: DatabasePlace,
  options: { readonly contract: boolean; readonly dryRun: boolean },
): Promise<Result<Migrated, OpenFault>> {
  if (postgres === null) return migrateSqlite(databaseFile, options);
  const { migratePostgres } = await import("./postgres/open.ts");
  return migratePostgres(postgres, options);
}
