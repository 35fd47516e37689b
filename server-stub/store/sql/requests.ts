import type { Kysely } from "kysely";
import type { RequestRecord, Stored } from "../records.ts";
import { prepare } from "./prepared.ts";
import type { Tables } from "./tables.ts";

/** Requests that carry a key: every query about them, compiled once. */
export function prepareRequests(db: Kysely<Tables>) {
  type Write = { id: string; at: number; body: string; expected: number; revision: number };
  const read = prepare<{ id: string }, { revision: number; body: string }>((p) =>
    db.selectFrom("request").select(["revision", "body"]).where("id", "=", p("id")),
  );
  return {
    find: async (id: string): Promise<Stored<RequestRecord> | null> => {
      const row = (await read(db, { id })).rows[0];
      return row === undefined
        ? null
        : { value: JSON.parse(row.body) as RequestRecord, revision: row.revision };
    },
    insert: prepare<Write, unknown>((p) =>
      db
        .insertInto("request")
        .values({ id: p("id"), at: p("at"), revision: p("revision"), body: p("body") })
        .onConflict((conflict) => conflict.doNothing()),
    ),
    update: prepare<Write, unknown>((p) =>
      db
        .updateTable("request")
        .set({ at: p("at"), revision: p("revision"), body: p("body") })
        .where("id", "=", p("id"))
        .where("revision", "=", p("expected")),
    ),
    remove: prepare<{ id: string; expected: number }, unknown>((p) =>
      db.deleteFrom("request").where("id", "=", p("id")).where("revision", "=", p("expected")),
    ),
    forget: prepare<{ before: number }, unknown>((p) =>
      db.deleteFrom("request").where("at", "<", p("before")),
    ),
  };
}
