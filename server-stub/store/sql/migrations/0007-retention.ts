import { type Kysely, sql } from "kysely";

/**
 * What is over can be found by when it ended, so that it can be let go of in small parts; and an audit entry says
 * which request it came of.
 */
export async function retention(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("job").addColumn("ended_at", "integer").execute();
  await db.schema.alterTable("audit").addColumn("request_id", "text").execute();
  const jobs = db as Kysely<{
    job: { id: string; body: string; ended_at: number | null };
  }>;
  for (const { id, body } of await jobs.selectFrom("job").select(["id", "body"]).execute()) {
    const { endedAt } = JSON.parse(body) as { endedAt: number | null };
    await jobs.updateTable("job").set({ ended_at: endedAt }).where("id", "=", id).execute();
  }
  const found = (table: string, column: string) =>
    db.schema
      .createIndex(`${table}_${column}`)
      .on(table)
      .column(column)
      .where(sql.ref(column), "is not", null)
      .execute();
  await found("job", "ended_at");
  await found("alert", "resolved_at");
  await found("delivery", "ended_at");
  await db.schema.createIndex("audit_at").on("audit").column("at").execute();
}
