import type { Kysely } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { err, type Fault, ok, type Result } from "../../../protocol/result.ts";
import { isExpansion, MIGRATIONS } from "./migrations/all.ts";
import type { Tables } from "./tables.ts";

/** Where the tables of a store are, beside what this program knows. Names, in their order. */
export type MigrationState = {
  /** Nothing was ever made there. */
  readonly isEmpty: boolean;
  readonly pending: readonly string[];
  /** Done by a later coordinator, and harmless to this one. */
  readonly foreign: readonly string[];
};

/** What `migrate` did. `left`: contractions, which wait until no older coordinator runs. */
export type Migrated = { readonly ran: readonly string[]; readonly left: readonly string[] };

export type MigrateFault = Fault<"store-newer" | "store-unusable">;
type Migrations = Readonly<Record<string, Migration>>;

/** Looks, and changes nothing. Error `store-newer`: a later coordinator took away what this one needs. */
export async function migrationState(
  db: Kysely<Tables>,
  known: Migrations = MIGRATIONS,
): Promise<Result<MigrationState, MigrateFault>> {
  const done = await migrationsDone(db);
  const foreign = done.filter((name) => !(name in known));
  const unknown = foreign.find((name) => !isExpansion(name));
  if (unknown !== undefined) {
    return err({
      code: "store-newer",
      message: `a newer coordinator wrote it (migration ${unknown}).`,
      hint: "Run that version, or restore a backup from before it. Nothing was changed.",
    });
  }
  const pending = Object.keys(known)
    .filter((name) => !done.includes(name))
    .sort();
  return ok({ isEmpty: done.length === 0, pending, foreign });
}

/** What is to be run of what is pending: all of it where nobody else can be, or no contraction. */
export const dueOf = ({ isEmpty, pending }: MigrationState, contract: boolean): Migrated => ({
  ran: pending.filter((name) => isEmpty || contract || isExpansion(name)),
  left: pending.filter((name) => !isEmpty && !contract && !isExpansion(name)),
});

/**
 * Brings the tables up to date. `contract`: also takes away what only older coordinators use; they must be gone.
 * May be called again, and by several at once: each migration runs once. Errors: `store-newer`, and `store-unusable`
 * when a migration failed; then it is undone, with those that ran just before it where the engine can do that.
 */
export async function migrate(
  db: Kysely<Tables>,
  { contract, known = MIGRATIONS }: { readonly contract: boolean; readonly known?: Migrations },
): Promise<Result<Migrated, MigrateFault>> {
  const state = await migrationState(db, known);
  if (!state.ok) return state;
  const due = dueOf(state.value, contract);
  if (due.ran.length === 0) return ok(due);
  // It runs what it is shown and has not run, and wants to see again what it has.
  const { left } = due;
  const shown = Object.entries(known).filter(([name]) => !left.includes(name));
  const foreign = state.value.foreign.map((name) => [name, { up: () => Promise.resolve() }] as const);
  const migrations = Object.fromEntries([...shown, ...foreign]);
  const { error, results = [] } = await new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(migrations) },
    allowUnorderedMigrations: true,
  }).migrateToLatest();
  if (error === undefined) return ok({ ran: results.map(({ migrationName }) => migrationName), left });
  return err({
    code: "store-unusable",
    message: `its tables could not be brought up to date: ${error instanceof Error ? error.message : "no reason was given"}.`,
    hint: "What was migrated before that stays; nothing else was changed.",
  });
}

async function migrationsDone(db: Kysely<Tables>): Promise<readonly string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === "kysely_migration")) return [];
  const migrations = db as unknown as Kysely<{ kysely_migration: { name: string } }>;
  const done = await migrations.selectFrom("kysely_migration").select("name").execute();
  return done.map((row) => row.name);
}
