import type { Kysely, Selectable } from "kysely";
import type { Alert, AlertKind } from "../../../protocol/alert.ts";
import type { AlertChange, AlertFilter } from "../alerts.ts";
import { prepare, type Runner } from "./prepared.ts";
import type { Tables } from "./tables.ts";

/** Above every id: a page that begins at the newest. */
const FIRST_PAGE = Number.MAX_SAFE_INTEGER;

/** Reads and writes of alerts. */
export function prepareAlerts(db: Kysely<Tables>) {
  const raise = prepare<{ kind: string; subject: string; message: string; at: number }, AlertRow>((p) =>
    db
      .insertInto("alert")
      .values({ kind: p("kind"), subject: p("subject"), message: p("message"), raised_at: p("at") })
      .onConflict((conflict) => conflict.doNothing())
      .returningAll(),
  );
  const resolve = prepare<{ kind: string; subject: string; at: number; because: string | null }, AlertRow>(
    (p) =>
      db
        .updateTable("alert")
        .set({ resolved_at: p("at"), resolved_by: p("because") })
        .where("kind", "=", p("kind"))
        .where("subject", "=", p("subject"))
        .where("resolved_at", "is", null)
        .returningAll(),
  );
  const acknowledge = prepare<{ id: number; at: number; by: string; note: string | null }, AlertRow>((p) =>
    db
      .updateTable("alert")
      .set({ acknowledged_at: p("at"), acknowledged_by: p("by"), note: p("note") })
      .where("id", "=", p("id"))
      .where("acknowledged_at", "is", null)
      .returningAll(),
  );
  const one = prepare<{ id: number }, AlertRow>((p) =>
    db.selectFrom("alert").selectAll().where("id", "=", p("id")),
  );
  const open = prepare<Record<never, never>, AlertRow>(() =>
    db.selectFrom("alert").selectAll().where("resolved_at", "is", null).orderBy("id"),
  );
  const openOf = prepare<{ kind: string }, AlertRow>((p) =>
    db.selectFrom("alert").selectAll().where("kind", "=", p("kind")).where("resolved_at", "is", null),
  );
  return {
    /** Within the transaction that `runner` is. The alerts that it has changed, as they are now. */
    write: async (runner: Runner, change: AlertChange): Promise<Alert[]> => {
      if (change.kind === "acknowledge") return (await acknowledge(runner, change)).rows.map(alertOf);
      const { alert: kind, subject, at } = change;
      const { rows } =
        change.kind === "raise"
          ? await raise(runner, { kind, subject, at, message: change.message })
          : await resolve(runner, { kind, subject, at, because: change.because ?? null });
      return rows.map(alertOf);
    },
    one: async (id: number): Promise<Alert | null> => {
      const row = (await one(db, { id })).rows[0];
      return row === undefined ? null : alertOf(row);
    },
    open: async (kind?: AlertKind): Promise<Alert[]> =>
      (await (kind === undefined ? open(db, {}) : openOf(db, { kind }))).rows.map(alertOf),
    page: async ({ state, kind, before = FIRST_PAGE, limit }: AlertFilter): Promise<Alert[]> => {
      const rows = await db
        .selectFrom("alert")
        .selectAll()
        .where("id", "<", before)
        .$if(state === "open", (query) => query.where("resolved_at", "is", null))
        .$if(kind !== undefined, (query) => query.where("kind", "=", kind ?? ""))
        .orderBy("id", "desc")
        .limit(limit)
        .execute();
      return rows.map(alertOf);
    },
  };
}

type AlertRow = Selectable<Tables["alert"]>;

const alertOf = (row: AlertRow): Alert => ({
  id: row.id,
  kind: row.kind as AlertKind,
  subject: row.subject,
  message: row.message,
  raisedAt: row.raised_at,
  resolvedAt: row.resolved_at,
  resolvedBy: row.resolved_by,
  acknowledgedAt: row.acknowledged_at,
  acknowledgedBy: row.acknowledged_by,
  note: row.note,
});
