import type { Kysely } from "kysely";
import { Migrator } from "kysely/migration";
import { err, type Fault, ok, type Result } from "../../../protocol/result.ts";
import { MIGRATIONS, migrationProvider } from "./migrations/all.ts";
import type { Tables } from "./tables.ts";

/** Brings the tables up to date. Error `store-newer`: they are from a later coordinator than this one. */
export async function migrate(
  db: Kysely<Tables>,
): Promise<Result<void, Fault<"store-newer" | "store-unusable">>> {
  const unknown = await laterMigration(db);
  if (unknown !== undefined) {
    return err({
      code: "store-newer",
      message: `a newer coordinator wrote it (migration ${unknown}).`,
      hint: "Run that version, or restore a backup from before it. Nothing was changed.",
    });
  }
  const { error } = await new Migrator({ db, provider: migrationProvider }).migrateToLatest();
  if (error === undefined) return ok(undefined);
  return err({
    code: "store-unusable",
    message: `its tables could not be brought up to date: ${error instanceof Error ? error.message : "no reason was given"}.`,
    hint: "What was migrated before that stays; nothing else was changed.",
  });
}

async function laterMigration(db: Kysely<Tables>): Promise<string | undefined> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === "kysely_migration")) return undefined;
  const migrations = db as unknown as Kysely<{ kysely_migration: { name: string } }>;
  const done = await migrations.selectFrom("kysely_migration").select("name").execute();
  return done.map((row) => row.name).find((name) => !(name in MIGRATIONS));
}
