import { type Kysely, sql } from "kysely";

/** Who has taken an alert on and what resolved it; webhooks, and the messages that wait for them or have been sent. */
export async function alertsAndWebhooks(db: Kysely<unknown>): Promise<void> {
  const addToAlert = (column: string, type: "integer" | "text") =>
    db.schema.alterTable("alert").addColumn(column, type).execute();
  await addToAlert("resolved_by", "text");
  await addToAlert("acknowledged_at", "integer");
  await addToAlert("acknowledged_by", "text");
  await addToAlert("note", "text");

  await db.schema
    .createTable("webhook")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("enabled", "integer", (column) => column.notNull())
    .addColumn("revision", "integer", (column) => column.notNull())
    .addColumn("body", "text", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("delivery")
    .addColumn("id", "integer", (column) => column.primaryKey().autoIncrement().notNull())
    .addColumn("webhook_id", "text", (column) => column.notNull())
    .addColumn("event", "text", (column) => column.notNull())
    .addColumn("subject", "text", (column) => column.notNull())
    .addColumn("at", "integer", (column) => column.notNull())
    .addColumn("payload", "text", (column) => column.notNull())
    .addColumn("status", "text", (column) => column.notNull())
    .addColumn("waiting", "integer", (column) => column.notNull())
    .addColumn("attempts", "integer", (column) => column.notNull())
    .addColumn("last_status", "integer")
    .addColumn("last_error", "text")
    .addColumn("next_try_at", "integer")
    .addColumn("ended_at", "integer")
    .addForeignKeyConstraint("delivery_webhook", ["webhook_id"], "webhook", ["id"], (key) =>
      key.onDelete("cascade"),
    )
    .execute();
  await db.schema.createIndex("delivery_by_webhook").on("delivery").columns(["webhook_id", "id"]).execute();
  await db.schema
    .createIndex("delivery_waiting")
    .on("delivery")
    .columns(["webhook_id", "id"])
    .where(sql.ref("waiting"), "=", 1)
    .execute();
}
