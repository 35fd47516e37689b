import { type Kysely, sql } from "kysely";

/** The tables of leases, nodes, jobs, rollouts, tokens, audit and alerts. */
export async function theSpine(db: Kysely<unknown>): Promise<void> {
  const record = (table: string, key: string) =>
    db.schema
      .createTable(table)
      .addColumn(key, "text", (column) => column.primaryKey().notNull())
      .addColumn("revision", "integer", (column) => column.notNull())
      .addColumn("body", "text", (column) => column.notNull());
  const numbered = (table: string, key: string) =>
    db.schema
      .createTable(table)
      .addColumn(key, "integer", (column) => column.primaryKey().autoIncrement().notNull());

  await db.schema
    .createTable("meta")
    .addColumn("id", "integer", (column) => column.primaryKey().notNull())
    .addColumn("revision", "integer", (column) => column.notNull())
    .addColumn("body", "text", (column) => column.notNull())
    .execute();
  await sql`insert into meta (id, revision, body) values (1, 1, '{"tokenEpoch":0}')`.execute(db);
  await record("node_group", "name").execute();
  await record("lease", "node_group")
    .addColumn("busy", "integer", (column) => column.notNull())
    .addForeignKeyConstraint("lease_group", ["node_group"], "node_group", ["name"])
    .execute();
  await db.schema
    .createIndex("lease_busy")
    .on("lease")
    .column("busy")
    .where(sql.ref("busy"), "=", 1)
    .execute();
  await record("node", "id")
    .addColumn("node_group", "text", (column) => column.notNull())
    .addColumn("name", "text", (column) => column.notNull().unique())
    .addColumn("credential_hash", "text", (column) => column.notNull().unique())
    .addColumn("last_seen_at", "integer")
    .addForeignKeyConstraint("node_group_of", ["node_group"], "node_group", ["name"])
    .execute();
  await db.schema.createIndex("node_by_group").on("node").column("node_group").execute();
  await numbered("job", "seq")
    .addColumn("id", "text", (column) => column.notNull().unique())
    .addColumn("node_id", "text", (column) => column.notNull())
    .addColumn("node_group", "text", (column) => column.notNull())
    .addColumn("active", "integer", (column) => column.notNull())
    .addColumn("revision", "integer", (column) => column.notNull())
    .addColumn("body", "text", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("job_by_node").on("job").columns(["node_id", "seq"]).execute();
  await db.schema
    .createIndex("job_active_by_node")
    .unique()
    .on("job")
    .column("node_id")
    .where(sql.ref("active"), "=", 1)
    .execute();
  await db.schema
    .createIndex("job_active_by_group")
    .on("job")
    .column("node_group")
    .where(sql.ref("active"), "=", 1)
    .execute();
  await db.schema
    .createTable("job_log")
    .addColumn("job_id", "text", (column) => column.notNull())
    .addColumn("line", "integer", (column) => column.notNull())
    .addColumn("at", "integer", (column) => column.notNull())
    .addColumn("source", "text", (column) => column.notNull())
    .addColumn("step", "text")
    .addColumn("text", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("job_log_line", ["job_id", "line"])
    .addForeignKeyConstraint("job_log_job", ["job_id"], "job", ["id"], (key) => key.onDelete("cascade"))
    .execute();
  await numbered("rollout", "seq")
    .addColumn("id", "text", (column) => column.notNull().unique())
    .addColumn("node_group", "text", (column) => column.notNull())
    .addColumn("unfinished", "integer", (column) => column.notNull())
    .addColumn("revision", "integer", (column) => column.notNull())
    .addColumn("body", "text", (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex("rollout_unfinished")
    .on("rollout")
    .column("node_group")
    .where(sql.ref("unfinished"), "=", 1)
    .execute();
  for (const table of ["operator_token", "join_token"]) {
    await record(table, "id")
      .addColumn("hash", "text", (column) => column.notNull().unique())
      .execute();
  }
  await numbered("audit", "id")
    .addColumn("at", "integer", (column) => column.notNull())
    .addColumn("actor", "text", (column) => column.notNull())
    .addColumn("action", "text", (column) => column.notNull())
    .addColumn("subject", "text", (column) => column.notNull())
    .addColumn("before", "text", (column) => column.notNull())
    .addColumn("after", "text", (column) => column.notNull())
    .addColumn("from_address", "text", (column) => column.notNull())
    .execute();
  await numbered("alert", "id")
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("subject", "text", (column) => column.notNull())
    .addColumn("message", "text", (column) => column.notNull())
    .addColumn("raised_at", "integer", (column) => column.notNull())
    .addColumn("resolved_at", "integer")
    .execute();
  await db.schema
    .createIndex("alert_open")
    .unique()
    .on("alert")
    .columns(["kind", "subject"])
    .where(sql.ref("resolved_at"), "is", null)
    .execute();
}
