import type { Kysely } from "kysely";

/** What is left by a write over a network, so that it can be found out what became of one whose reply was lost. */
export async function receipts(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("receipt")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("at", "bigint", (column) => column.notNull())
    .execute();
}
