import { type Kysely, sql } from "kysely";
import { prepare } from "./prepared.ts";
import type { Tables } from "./tables.ts";

/**
 * A literal, since the indexes of what is going on hold only rows where this is 1: had SQLite to find that out from
 * a parameter, it would plan the query anew each time it is run.
 */
const YES = sql.lit(1);
const NO = sql.lit(0);

/** Every query that reads, compiled once. */
export function prepareReads(db: Kysely<Tables>) {
  const record = ["revision", "body"] as const;
  const node = ["revision", "body", "last_seen_at"] as const;
  const newestFirst = "desc" as const;
  return {
    meta: prepare<Record<never, never>, Row>(() => db.selectFrom("meta").select(record)),
    group: prepare<{ name: string }, Row>((p) =>
      db.selectFrom("node_group").select(record).where("name", "=", p("name")),
    ),
    groups: prepare<Record<never, never>, Row>(() =>
      db.selectFrom("node_group").select(record).orderBy("name"),
    ),
    lease: prepare<{ group: string }, Row>((p) =>
      db.selectFrom("lease").select(record).where("node_group", "=", p("group")),
    ),
    busyLeases: prepare<Record<never, never>, Row & { group: string }>(() =>
      db.selectFrom("lease").select(record).select("node_group as group").where("busy", "=", YES),
    ),
    node: prepare<{ id: string }, NodeRow>((p) =>
      db.selectFrom("node").select(node).where("id", "=", p("id")),
    ),
    nodes: prepare<Record<never, never>, NodeRow>(() => db.selectFrom("node").select(node).orderBy("name")),
    nodesOf: prepare<{ group: string }, NodeRow>((p) =>
      db.selectFrom("node").select(node).where("node_group", "=", p("group")).orderBy("name"),
    ),
    nodeByName: prepare<{ name: string }, NodeRow>((p) =>
      db.selectFrom("node").select(node).where("name", "=", p("name")),
    ),
    nodeByCredential: prepare<{ hash: string }, NodeRow>((p) =>
      db.selectFrom("node").select(node).where("credential_hash", "=", p("hash")),
    ),
    job: prepare<{ id: string }, Row>((p) => db.selectFrom("job").select(record).where("id", "=", p("id"))),
    activeJob: prepare<{ nodeId: string }, Row>((p) =>
      db
        .selectFrom("job")
        .select(record)
        .where("node_id", "=", p("nodeId"))
        .where("active", "=", YES)
        .where("diagnosis", "=", NO),
    ),
    activeDiagnosis: prepare<{ nodeId: string }, Row>((p) =>
      db
        .selectFrom("job")
        .select(record)
        .where("node_id", "=", p("nodeId"))
        .where("active", "=", YES)
        .where("diagnosis", "=", YES),
    ),
    activeDiagnoses: prepare<Record<never, never>, Row>(() =>
      db
        .selectFrom("job")
        .select(record)
        .where("active", "=", YES)
        .where("diagnosis", "=", YES)
        .orderBy("seq"),
    ),
    activeJobsOf: prepare<{ group: string }, Row>((p) =>
      db
        .selectFrom("job")
        .select(record)
        .where("node_group", "=", p("group"))
        .where("active", "=", YES)
        .where("diagnosis", "=", NO)
        .orderBy("seq"),
    ),
    lastJob: prepare<{ nodeId: string }, Row>((p) =>
      db
        .selectFrom("job")
        .select(record)
        .where("node_id", "=", p("nodeId"))
        .where("diagnosis", "=", NO)
        .orderBy("seq", newestFirst)
        .limit(1),
    ),
    log: prepare<{ jobId: string; from: number; limit: number }, LogRow>((p) =>
      db
        .selectFrom("job_log")
        .select(["line", "at", "source", "step", "text"])
        .where("job_id", "=", p("jobId"))
        .where("line", ">=", p("from"))
        .orderBy("line")
        .limit(p("limit")),
    ),
    logSize: prepare<{ jobId: string }, { lines: number | string; characters: number | string | null }>((p) =>
      db
        .selectFrom("job_log")
        .select((eb) => [
          eb.fn.countAll<number>().as("lines"),
          eb.fn.sum<number>(eb.fn<number>("length", ["text"])).as("characters"),
        ])
        .where("job_id", "=", p("jobId")),
    ),
    lastLine: prepare<{ jobId: string }, { line: number | null }>((p) =>
      db
        .selectFrom("job_log")
        .select((eb) => eb.fn.max("line").as("line"))
        .where("job_id", "=", p("jobId")),
    ),
    operatorTokens: prepare<Record<never, never>, Row>(() => db.selectFrom("operator_token").select(record)),
    operatorToken: prepare<{ id: string }, Row>((p) =>
      db.selectFrom("operator_token").select(record).where("id", "=", p("id")),
    ),
    operatorTokenByHash: prepare<{ hash: string }, Row>((p) =>
      db.selectFrom("operator_token").select(record).where("hash", "=", p("hash")),
    ),
    joinTokenByHash: prepare<{ hash: string }, Row>((p) =>
      db.selectFrom("join_token").select(record).where("hash", "=", p("hash")),
    ),
    countOpenAlerts: prepare<Record<never, never>, { kind: string; count: number | bigint | string }>(() =>
      db
        .selectFrom("alert")
        .select(["kind", (eb) => eb.fn.countAll().as("count")])
        .where("resolved_at", "is", null)
        .groupBy("kind"),
    ),
  };
}

export type Row = { readonly revision: number; readonly body: string };
export type NodeRow = Row & { readonly last_seen_at: number | null };
export type LogRow = Pick<Tables["job_log"], "line" | "at" | "source" | "step" | "text">;
export type AuditRow = Omit<Tables["audit"], "id"> & { readonly id: number };
