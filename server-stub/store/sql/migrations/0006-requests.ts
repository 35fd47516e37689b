import { type Kysely, sql } from "kysely";

type Jobs = { job: { id: string; body: string; status: string; kind: string; rollout_id: string | null } };

/** Requests that carry a key; and columns by which jobs are listed. */
export async function requests(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("request")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("at", "bigint", (column) => column.notNull())
    .addColumn("revision", "integer", (column) => column.notNull())
    .addColumn("body", "text", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("request_by_age").on("request").column("at").execute();

  for (const name of ["status", "kind"]) {
    await db.schema
      .alterTable("job")
      .addColumn(name, "text", (column) => column.notNull().defaultTo(sql.lit("")))
      .execute();
  }
  await db.schema.alterTable("job").addColumn("rollout_id", "text").execute();
  const jobs = db as Kysely<Jobs>;
  for (const { id, body } of await jobs.selectFrom("job").select(["id", "body"]).execute()) {
    const { status, kind, rolloutId } = JSON.parse(body) as Record<"status" | "kind" | "rolloutId", string>;
    await jobs.updateTable("job").set({ status, kind, rollout_id: rolloutId }).where("id", "=", id).execute();
  }
  await db.schema.createIndex("job_by_status").on("job").columns(["status", "seq"]).execute();
  await db.schema.createIndex("job_by_rollout").on("job").columns(["rollout_id", "seq"]).execute();
  await db.schema.createIndex("audit_by_subject").on("audit").columns(["subject", "id"]).execute();
}
