import type { Kysely } from "kysely";

/** Browsers that are signed in, and links that sign one in. */
export async function signIns(db: Kysely<unknown>): Promise<void> {
  for (const name of ["sign_in", "sign_in_link"]) {
    await db.schema
      .createTable(name)
      .addColumn("hash", "text", (column) => column.primaryKey().notNull())
      .addColumn("expires_at", "bigint", (column) => column.notNull())
      .addColumn("body", "text", (column) => column.notNull())
      .execute();
  }
}
