import { Kysely } from "kysely";
import { err, ok, type Result } from "../../../protocol/result.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import type { OpenFault } from "../faults.ts";
import { dueOf, type Migrated, migrate, migrationState } from "../sql/migrate.ts";
import { openSqlStore } from "../sql/store.ts";
import type { Tables } from "../sql/tables.ts";
import type { Store } from "../store.ts";
import type { PostgresAddress } from "./address.ts";
import { postgresDialect } from "./dialect.ts";
import type { FailedOver } from "./faults.ts";
import { createPool, POOL_LIMITS, type PoolLimits } from "./pool.ts";
import { type Replication, readReplication } from "./replication.ts";
import { transactThere } from "./transact.ts";

export type PostgresStore = {
  readonly store: Store;
  /** Which database it is; when it is found to be another one, nothing more is written. */
  readonly incarnation: string;
  readonly failedOver: Promise<FailedOver>;
  replication(): Promise<Replication>;
};

/**
 * Opens the coordinator's database and makes its tables when there are none; tables that are there are brought up to
 * date by `migratePostgres` only. What `apply` said is durable, on the standbys too where the server waits for them.
 * `now`: the wall clock that events are stamped with.
 * Errors: `store-unusable`, `store-newer`, `store-behind` (a migration is due); the database was left as it was.
 */
export async function openPostgresStore(
  address: PostgresAddress,
  now: () => EpochMs = Date.now,
  limits: PoolLimits = POOL_LIMITS,
): Promise<Result<PostgresStore, OpenFault>> {
  const ready = await prepareTables(address);
  if (!ready.ok) return ready;
  const pool = createPool(address, limits);
  const db = new Kysely<Tables>({ dialect: postgresDialect(pool) });
  try {
    // Whatever keeps us from using it is found out now.
    await db.selectFrom("meta").select("id").execute();
    const incarnation = pool.incarnation();
    if (incarnation === null) throw new Error("the database did not say which one it is");
    const engine = { transact: transactThere(db, { now }), copyTo: null, reclaim: () => undefined };
    const { failedOver } = pool;
    return ok({
      store: openSqlStore(db, now, engine),
      incarnation,
      failedOver,
      replication: () => readReplication(db),
    });
  } catch (cause) {
    await db.destroy();
    return err(unusable(address, cause));
  }
}

/**
 * Brings the tables up to date, while coordinators run on them: those that are older know nothing of what is added.
 * `contract`: also takes away what only older ones use. `dryRun`: says what it would do.
 */
export async function migratePostgres(
  address: PostgresAddress,
  { contract, dryRun }: { readonly contract: boolean; readonly dryRun: boolean },
): Promise<Result<Migrated, OpenFault>> {
  return withPatience(address, async (db) => {
    if (!dryRun) return migrate(db, { contract });
    const state = await migrationState(db);
    return state.ok ? ok(dueOf(state.value, contract)) : state;
  });
}

const prepareTables = (address: PostgresAddress): Promise<Result<unknown, OpenFault>> =>
  withPatience<unknown>(address, async (db) => {
    const state = await migrationState(db);
    if (!state.ok) return state;
    if (state.value.isEmpty) return migrate(db, { contract: true });
    const { ran: due } = dueOf(state.value, false);
    if (due.length === 0) return ok(undefined);
    return err({
      code: "store-behind",
      message: `its tables are older than this coordinator (${due.join(", ")} ${due.length === 1 ? "is" : "are"} missing).`,
      hint: "Run `coordinator migrate`: coordinators that run meanwhile go on. Nothing was changed.",
    });
  });

/** A migration may take its time. */
async function withPatience<T>(
  address: PostgresAddress,
  work: (db: Kysely<Tables>) => Promise<Result<T, OpenFault>>,
): Promise<Result<T, OpenFault>> {
  const pool = createPool(address, { ...POOL_LIMITS, connections: 2, statementMs: 0, standstillMs: 0 });
  const db = new Kysely<Tables>({ dialect: postgresDialect(pool) });
  try {
    const done = await work(db);
    return done.ok ? done : err({ ...done.error, message: `${address.shown}: ${done.error.message}` });
  } catch (cause) {
    return err(unusable(address, cause));
  } finally {
    await db.destroy();
  }
}

const unusable = ({ shown }: PostgresAddress, cause: unknown): OpenFault => ({
  code: "store-unusable",
  message: `${shown} cannot be used as the coordinator's database: ${cause instanceof Error ? cause.message : String(cause)}.`,
  hint: "Look at database.url, whether one of its hosts takes writes, and whether the user may make tables there.",
  context: { database: shown },
});
