import { type Kysely, sql } from "kysely";
import { prepare, type Runner } from "./prepared.ts";
import type { Tables } from "./tables.ts";

/** Values in one statement are limited. */
const ROWS_AT_ONCE = 200;

/** A write of one record: from which revision, to which. */
type Cas = { body: string; expected: number; revision: number };

/**
 * Every query that writes, compiled once. An update without its expected revision changes no row; an insert that
 * finds its key, or a name that must be unique, already there inserts none.
 */
export function prepareStatements(db: Kysely<Tables>) {
  const token = (table: "operator_token" | "join_token") => ({
    insert: prepare<Cas & { id: string; hash: string }, unknown>((p) =>
      db
        .insertInto(table)
        .values({ id: p("id"), hash: p("hash"), revision: p("revision"), body: p("body") })
        .onConflict((conflict) => conflict.doNothing()),
    ),
    update: prepare<Cas & { id: string; hash: string }, unknown>((p) =>
      db
        .updateTable(table)
        .set({ revision: p("revision"), body: p("body") })
        .where("id", "=", p("id"))
        .where("revision", "=", p("expected")),
    ),
  });
  type NodeWrite = Cas & { id: string; group: string; name: string; hash: string };
  type JobWrite = Cas & { id: string; active: number; status: string; endedAt: number | null };
  type NewJob = JobWrite & {
    nodeId: string;
    group: string;
    diagnosis: number;
    jobKind: string;
    rolloutId: string | null;
  };
  return {
    operatorToken: token("operator_token"),
    joinToken: token("join_token"),
    meta: prepare<Cas, unknown>((p) =>
      db
        .updateTable("meta")
        .set({ revision: p("revision"), body: p("body") })
        .where("id", "=", 1)
        .where("revision", "=", p("expected")),
    ),
    readMeta: prepare<Record<never, never>, { body: string }>(() =>
      db.selectFrom("meta").select("body").where("id", "=", 1),
    ),
    insertGroup: prepare<Cas & { name: string }, unknown>((p) =>
      db
        .insertInto("node_group")
        .values({ name: p("name"), revision: p("revision"), body: p("body") })
        .onConflict((conflict) => conflict.doNothing()),
    ),
    updateGroup: prepare<Cas & { name: string }, unknown>((p) =>
      db
        .updateTable("node_group")
        .set({ revision: p("revision"), body: p("body") })
        .where("name", "=", p("name"))
        .where("revision", "=", p("expected")),
    ),
    sameGroup: prepare<{ name: string; expected: number }, { name: string }>((p) =>
      db
        .selectFrom("node_group")
        .select("name")
        .where("name", "=", p("name"))
        .where("revision", "=", p("expected")),
    ),
    sameLease: prepare<{ group: string; expected: number }, { node_group: string }>((p) =>
      db
        .selectFrom("lease")
        .select("node_group")
        .where("node_group", "=", p("group"))
        .where("revision", "=", p("expected")),
    ),
    insertLease: prepare<{ group: string; body: string }, unknown>((p) =>
      db.insertInto("lease").values({ node_group: p("group"), revision: 1, busy: 0, body: p("body") }),
    ),
    lease: prepare<Cas & { group: string; busy: number }, unknown>((p) =>
      db
        .updateTable("lease")
        .set({ revision: p("revision"), busy: p("busy"), body: p("body") })
        .where("node_group", "=", p("group"))
        .where("revision", "=", p("expected")),
    ),
    insertNode: prepare<NodeWrite, unknown>((p) =>
      db
        .insertInto("node")
        .values({
          id: p("id"),
          node_group: p("group"),
          name: p("name"),
          credential_hash: p("hash"),
          last_seen_at: null,
          revision: p("revision"),
          body: p("body"),
        })
        .onConflict((conflict) => conflict.doNothing()),
    ),
    updateNode: prepare<NodeWrite, unknown>((p) =>
      db
        .updateTable("node")
        .set({
          node_group: p("group"),
          name: p("name"),
          credential_hash: p("hash"),
          revision: p("revision"),
          body: p("body"),
        })
        .where("id", "=", p("id"))
        .where("revision", "=", p("expected")),
    ),
    removeNode: prepare<{ id: string; expected: number }, unknown>((p) =>
      db.deleteFrom("node").where("id", "=", p("id")).where("revision", "=", p("expected")),
    ),
    removeLease: prepare<{ group: string }, unknown>((p) =>
      db.deleteFrom("lease").where("node_group", "=", p("group")),
    ),
    removeGroup: prepare<{ name: string; expected: number }, unknown>((p) =>
      db.deleteFrom("node_group").where("name", "=", p("name")).where("revision", "=", p("expected")),
    ),
    insertJob: prepare<NewJob, unknown>((p) =>
      db
        .insertInto("job")
        .values({
          id: p("id"),
          node_id: p("nodeId"),
          node_group: p("group"),
          active: p("active"),
          diagnosis: p("diagnosis"),
          status: p("status"),
          kind: p("jobKind"),
          rollout_id: p("rolloutId"),
          revision: p("revision"),
          body: p("body"),
          ended_at: p("endedAt"),
        })
        .onConflict((conflict) => conflict.doNothing()),
    ),
    updateJob: prepare<JobWrite, unknown>((p) =>
      db
        .updateTable("job")
        .set({
          active: p("active"),
          status: p("status"),
          ended_at: p("endedAt"),
          revision: p("revision"),
          body: p("body"),
        })
        .where("id", "=", p("id"))
        .where("revision", "=", p("expected")),
    ),
    log: prepare<
      { jobId: string; line: number; at: number; source: string; step: string | null; text: string },
      unknown
    >((p) =>
      db
        .insertInto("job_log")
        .values({
          job_id: p("jobId"),
          line: p("line"),
          at: p("at"),
          source: p("source"),
          step: p("step"),
          text: p("text"),
        })
        .onConflict((conflict) => conflict.doNothing()),
    ),
    audit: prepare<
      {
        at: number;
        actor: string;
        action: string;
        subject: string;
        before: string;
        after: string;
        from: string;
        requestId: string | null;
      },
      unknown
    >((p) =>
      db.insertInto("audit").values({
        at: p("at"),
        actor: p("actor"),
        action: p("action"),
        subject: p("subject"),
        before: p("before"),
        after: p("after"),
        from_address: p("from"),
        request_id: p("requestId"),
      }),
    ),
    /** Of hundreds at once: each alone would be a round trip. */
    touch: async (runner: Runner, seen: readonly { readonly id: string; readonly at: number }[]) => {
      for (let from = 0; from < seen.length; from += ROWS_AT_ONCE) {
        const rows = seen.slice(from, from + ROWS_AT_ONCE);
        const values = sql.join(rows.map(({ id, at }) => sql`(${id}, cast(${at} as bigint))`));
        const query = sql`update node set last_seen_at = seen.column2 from (values ${values}) as seen
          where node.id = seen.column1`;
        await runner.executeQuery(query.compile(db));
      }
    },
  };
}

export type Statements = ReturnType<typeof prepareStatements>;
