import { type Kysely, sql } from "kysely";

/**
 * A rollout's nodes get rows of their own, so that a change to one of ten thousand writes one; a rollout is of many
 * groups, so it has no group any more.
 */
export async function rolloutNodes(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("rollout_node")
    .addColumn("rollout_id", "text", (column) => column.notNull())
    .addColumn("position", "integer", (column) => column.notNull())
    /** Of the rollout, when this place was written. */
    .addColumn("revision", "integer", (column) => column.notNull())
    .addColumn("body", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("rollout_node_position", ["rollout_id", "position"])
    .execute();
  await db.schema
    .createIndex("rollout_node_revision")
    .on("rollout_node")
    .columns(["rollout_id", "revision"])
    .execute();
  const old = db as Kysely<OldTables>;
  for (const { id, revision, body } of await old
    .selectFrom("rollout")
    .select(["id", "revision", "body"])
    .execute()) {
    const { head, nodes } = widened(JSON.parse(body) as OldRollout);
    await old
      .updateTable("rollout")
      .set({ body: JSON.stringify(head) })
      .where("id", "=", id)
      .execute();
    for (const [position, node] of nodes.entries()) {
      await old
        .insertInto("rollout_node")
        .values({ rollout_id: id, position, revision, body: JSON.stringify(node) })
        .execute();
    }
  }
  await db.schema.dropIndex("rollout_unfinished").execute();
  await db.schema.alterTable("rollout").dropColumn("node_group").execute();
  await db.schema
    .createIndex("rollout_unfinished")
    .on("rollout")
    .column("seq")
    .where(sql.ref("unfinished"), "=", 1)
    .execute();
}

type OldTables = {
  rollout: { id: string; revision: number; body: string };
  rollout_node: { rollout_id: string; position: number; revision: number; body: string };
};
type OldRollout = {
  readonly group: string;
  readonly mode: "quorum" | "independent";
  readonly retry: boolean;
  readonly status: string;
  readonly createdAt: number;
  readonly endedAt: number | null;
  readonly nodes: readonly { readonly status: string }[];
};

/** A rollout of one group, as it was before: one stage, one node at a time. */
function widened({ group, mode, retry, nodes, ...rest }: OldRollout) {
  const count = (status: string) => nodes.filter((node) => node.status === status).length;
  const isOver = rest.endedAt !== null;
  const head = {
    ...rest,
    kind: "update",
    rollbackOf: null,
    rolledBackBy: null,
    selection: { groups: [group] },
    policy: {
      stages: [1],
      concurrency: 1,
      threshold: null,
      pauseMs: 0,
      offline: "halt",
      onFailure: "halt",
      seed: 0,
    },
    allowUnhealthy: [],
    stages: [
      {
        share: 1,
        nodes: nodes.length,
        status: isOver ? "done" : "running",
        reason: null,
        startedAt: rest.createdAt,
        endedAt: rest.endedAt,
      },
    ],
    stage: 0,
    counts: {
      pending: count("pending"),
      preparing: count("preparing"),
      updating: count("updating"),
      succeeded: count("succeeded"),
      failed: count("failed"),
      rolledBack: count("rolled-back"),
      skipped: count("skipped"),
    },
    budget: { failed: count("failed") + count("rolled-back"), allowed: 0 },
    planHash: null,
    quorumGroups: mode === "quorum" ? [group] : [],
    perNodeMs: null,
    pause: null,
    rounds: [nodes.length],
    progressAt: rest.endedAt,
  };
  return { head, nodes: nodes.map((node) => ({ ...node, stage: 0, retry })) };
}
