import type { Kysely } from "kysely";

type Touched = {
  policy: { id: number; revision: number; body: string };
  node_group: { name: string; body: string };
};

/** The fleet's policy, channels, and what groups have of both. */
export async function policyAndChannels(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("policy")
    .addColumn("id", "integer", (column) => column.primaryKey().notNull())
    .addColumn("revision", "integer", (column) => column.notNull())
    .addColumn("body", "text", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("channel")
    .addColumn("name", "text", (column) => column.primaryKey().notNull())
    .addColumn("revision", "integer", (column) => column.notNull())
    .addColumn("body", "text", (column) => column.notNull())
    .execute();
  const tables = db as Kysely<Touched>;
  const policy = JSON.stringify({ windows: [], freeze: null, rollout: {} });
  await tables.insertInto("policy").values({ id: 1, revision: 1, body: policy }).execute();
  const added = { windows: null, freeze: null, channel: null, followsSince: null };
  for (const { name, body } of await tables.selectFrom("node_group").select(["name", "body"]).execute()) {
    const group = { ...(JSON.parse(body) as object), ...added };
    await tables
      .updateTable("node_group")
      .set({ body: JSON.stringify(group) })
      .where("name", "=", name)
      .execute();
  }
}
