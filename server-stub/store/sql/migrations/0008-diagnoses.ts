import { type Kysely, sql } from "kysely";

/** A diagnosis needs no lease and touches no update, so that a node may have one beside its active job. */
export async function diagnoses(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("job")
    .addColumn("diagnosis", "integer", (column) => column.notNull().defaultTo(0))
    .execute();
  await db.schema.dropIndex("job_active_by_node").execute();
  await db.schema
    .createIndex("job_active_by_node")
    .unique()
    .on("job")
    .columns(["node_id", "diagnosis"])
    .where(sql.ref("active"), "=", 1)
    .execute();
}
