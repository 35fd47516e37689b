import type { Kysely } from "kysely";
import type { EventKind } from "../../../protocol/event.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import type { EventDraft, EventRecord } from "../events.ts";
import { prepare, type Runner } from "./prepared.ts";
import type { Tables } from "./tables.ts";

/** Most rows of one insert; each number of rows is a statement of its own. */
const MOST_ROWS = 16;

/** Reads and writes of events. */
export function prepareEvents(db: Kysely<Tables>) {
  const since = prepare<{ after: number; limit: number }, EventRow>((p) =>
    db.selectFrom("event").selectAll().where("id", ">", p("after")).orderBy("id").limit(p("limit")),
  );
  const edge = (order: "asc" | "desc") =>
    prepare<Record<never, never>, { id: number }>(() =>
      db.selectFrom("event").select("id").orderBy("id", order).limit(1),
    );
  const [oldest, newest] = [edge("asc"), edge("desc")];
  const inserts = new Map<number, ReturnType<typeof prepareInsert>>();
  const insertOf = (rows: number) => {
    const known = inserts.get(rows) ?? prepareInsert(db, rows);
    inserts.set(rows, known);
    return known;
  };
  return {
    /** Within the transaction that `runner` is. */
    append: async (runner: Runner, at: EpochMs, events: readonly EventDraft[]): Promise<void> => {
      for (let from = 0; from < events.length; from += MOST_ROWS) {
        const rows = events.slice(from, from + MOST_ROWS);
        const params = rows.flatMap(({ kind, subject }, row) => [
          [`at${row}`, at],
          [`kind${row}`, kind],
          [`subject${row}`, subject],
        ]);
        await insertOf(rows.length)(runner, Object.fromEntries(params));
      }
    },
    since: async (after: number, limit: number): Promise<EventRecord[]> =>
      (await since(db, { after, limit })).rows.map((row) => ({ ...row, kind: row.kind as EventKind })),
    oldestId: async (): Promise<number> => (await oldest(db, {})).rows[0]?.id ?? 0,
    newestId: async (): Promise<number> => (await newest(db, {})).rows[0]?.id ?? 0,
  };
}

type EventRow = { id: number; at: number; kind: string; subject: string };

const prepareInsert = (db: Kysely<Tables>, rows: number) =>
  prepare<Record<string, string | number>, unknown>((p) =>
    db.insertInto("event").values(
      Array.from({ length: rows }, (_, row) => ({
        at: p(`at${row}`) as number,
        kind: p(`kind${row}`) as string,
        subject: p(`subject${row}`) as string,
      })),
    ),
  );
