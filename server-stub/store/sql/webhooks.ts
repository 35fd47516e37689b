import { type Kysely, type Selectable, sql } from "kysely";
import type { DeliveryStatus, WebhookEvent } from "../../../protocol/webhook.ts";
import { deliveriesOf } from "../notices.ts";
import type { Stored } from "../records.ts";
import type {
  DeliveryFilter,
  DeliveryRecord,
  Notice,
  Payload,
  WebhookChange,
  WebhookRecord,
} from "../webhooks.ts";
import { prepare, type Runner } from "./prepared.ts";
import type { Tables } from "./tables.ts";

/** A literal, for the index of what is waiting holds only rows where it is this. */
const YES = sql.lit(1);
const FIRST_PAGE = Number.MAX_SAFE_INTEGER;

/** Reads and writes of webhooks and of the messages to them. */
export function prepareWebhooks(db: Kysely<Tables>) {
  const record = ["revision", "body"] as const;
  const all = prepare<Record<never, never>, RecordRow>(() =>
    db.selectFrom("webhook").select(record).orderBy("id"),
  );
  const enabled = prepare<Record<never, never>, RecordRow>(() =>
    db.selectFrom("webhook").select(record).where("enabled", "=", YES).orderBy("id"),
  );
  const one = prepare<{ id: string }, RecordRow>((p) =>
    db.selectFrom("webhook").select(record).where("id", "=", p("id")),
  );
  const page = prepare<{ webhookId: string; before: number; limit: number }, DeliveryRow>((p) =>
    db
      .selectFrom("delivery")
      .selectAll()
      .where("webhook_id", "=", p("webhookId"))
      .where("id", "<", p("before"))
      .orderBy("id", "desc")
      .limit(p("limit")),
  );
  const due = prepare<{ now: number }, DeliveryRow>((p) =>
    db
      .selectFrom("delivery")
      .selectAll()
      .where("id", "in", (first) =>
        first
          .selectFrom("delivery as waiting")
          .select((eb) => eb.fn.min("waiting.id").as("id"))
          .where("waiting.waiting", "=", YES)
          .groupBy("waiting.webhook_id"),
      )
      .where("webhook_id", "in", (on) =>
        on.selectFrom("webhook").select("webhook.id").where("webhook.enabled", "=", YES),
      )
      .where("next_try_at", "<=", p("now"))
      .orderBy("id"),
  );
  const write = prepareWrites(db);
  return {
    /** Within the transaction that `runner` is. False: its expectation does not hold. */
    change: write.change,
    /** Within the transaction that `runner` is: the rows of who is to be told. */
    tell: async (runner: Runner, notices: readonly Notice[]): Promise<void> => {
      if (notices.length === 0) return;
      const webhooks = (await enabled(runner, {})).rows.map((row) => stored(row).value);
      for (const draft of deliveriesOf(notices, webhooks)) await write.queue(runner, draft);
    },
    all: async (): Promise<Stored<WebhookRecord>[]> => (await all(db, {})).rows.map(stored),
    one: async (id: string): Promise<Stored<WebhookRecord> | null> => {
      const row = (await one(db, { id })).rows[0];
      return row === undefined ? null : stored(row);
    },
    deliveries: async ({ webhookId, before = FIRST_PAGE, limit }: DeliveryFilter) =>
      (await page(db, { webhookId, before, limit })).rows.map(deliveryOf),
    due: async (now: number) => (await due(db, { now })).rows.map(deliveryOf),
  };
}

type WebhookWrite = { id: string; enabled: number; body: string; revision: number; expected: number };

function prepareWrites(db: Kysely<Tables>) {
  const insert = prepare<WebhookWrite, unknown>((p) =>
    db
      .insertInto("webhook")
      .values({ id: p("id"), enabled: p("enabled"), revision: p("revision"), body: p("body") })
      .onConflict((conflict) => conflict.doNothing()),
  );
  const update = prepare<WebhookWrite, unknown>((p) =>
    db
      .updateTable("webhook")
      .set({ enabled: p("enabled"), revision: p("revision"), body: p("body") })
      .where("id", "=", p("id"))
      .where("revision", "=", p("expected")),
  );
  const remove = prepare<{ id: string; expected: number }, unknown>((p) =>
    db.deleteFrom("webhook").where("id", "=", p("id")).where("revision", "=", p("expected")),
  );
  const add = prepare<Omit<DeliveryRow, "id">, unknown>((p) =>
    db.insertInto("delivery").values({
      webhook_id: p("webhook_id"),
      event: p("event"),
      subject: p("subject"),
      at: p("at"),
      payload: p("payload"),
      status: p("status"),
      waiting: p("waiting"),
      attempts: p("attempts"),
      last_status: p("last_status"),
      last_error: p("last_error"),
      next_try_at: p("next_try_at"),
      ended_at: p("ended_at"),
    }),
  );
  const tried = prepare<ResultRow & { id: number; expected: number }, unknown>((p) =>
    db
      .updateTable("delivery")
      .set({
        status: p("status"),
        waiting: p("waiting"),
        attempts: p("attempts"),
        last_status: p("last_status"),
        last_error: p("last_error"),
        next_try_at: p("next_try_at"),
        ended_at: p("ended_at"),
      })
      .where("id", "=", p("id"))
      .where("waiting", "=", YES)
      .where("attempts", "=", p("expected")),
  );
  const makeDue = prepare<{ webhookId: string; at: number }, unknown>((p) =>
    db
      .updateTable("delivery")
      .set({ next_try_at: p("at") })
      .where("webhook_id", "=", p("webhookId"))
      .where("waiting", "=", YES),
  );
  const addRow = (runner: Runner, draft: Omit<DeliveryRecord, "id">) =>
    add(runner, {
      webhook_id: draft.webhookId,
      event: draft.event,
      subject: draft.subject,
      at: draft.at,
      payload: JSON.stringify({ alert: draft.alert, rollout: draft.rollout } satisfies Payload),
      ...resultRow(draft),
    });
  return {
    change: async (runner: Runner, change: Exclude<WebhookChange, { kind: "notice" }>): Promise<boolean> => {
      switch (change.kind) {
        case "webhook": {
          const { value, expected } = change;
          const row = { id: value.id, enabled: Number(value.enabled), body: JSON.stringify(value), expected };
          return did(await (expected === 0 ? insert : update)(runner, { ...row, revision: expected + 1 }));
        }
        case "remove-webhook":
          return did(await remove(runner, { id: change.id, expected: change.expected }));
        case "delivery": {
          const { id, value, expected } = change;
          return did(await tried(runner, { id, expected, ...resultRow(value) }));
        }
        case "delivery-sent":
          return did(await addRow(runner, change.value));
        case "deliveries-due":
          await makeDue(runner, { webhookId: change.webhookId, at: change.at });
          return true;
      }
    },
    queue: async (runner: Runner, draft: Notice & { readonly webhookId: string }): Promise<void> => {
      await addRow(runner, { ...draft, ...UNTRIED, nextTryAt: draft.at });
    },
  };
}

const UNTRIED = { status: "waiting", attempts: 0, lastStatus: null, lastError: null, endedAt: null } as const;

type RecordRow = { readonly revision: number; readonly body: string };
type DeliveryRow = Selectable<Tables["delivery"]>;
type ResultRow = Pick<
  DeliveryRow,
  "status" | "waiting" | "attempts" | "last_status" | "last_error" | "next_try_at" | "ended_at"
>;

const did = (result: { readonly numAffectedRows?: bigint }): boolean => result.numAffectedRows === 1n;

const stored = ({ body, revision }: RecordRow): Stored<WebhookRecord> => ({
  value: JSON.parse(body) as WebhookRecord,
  revision,
});

const resultRow = (
  result: Pick<DeliveryRecord, "status" | "attempts" | "lastStatus" | "lastError" | "nextTryAt" | "endedAt">,
): ResultRow => ({
  status: result.status,
  waiting: Number(result.status === "waiting"),
  attempts: result.attempts,
  last_status: result.lastStatus,
  last_error: result.lastError,
  next_try_at: result.nextTryAt,
  ended_at: result.endedAt,
});

const deliveryOf = (row: DeliveryRow): DeliveryRecord => ({
  ...(JSON.parse(row.payload) as Payload),
  id: row.id,
  webhookId: row.webhook_id,
  event: row.event as WebhookEvent,
  subject: row.subject,
  at: row.at,
  status: row.status as DeliveryStatus,
  attempts: row.attempts,
  lastStatus: row.last_status,
  lastError: row.last_error,
  nextTryAt: row.next_try_at,
  endedAt: row.ended_at,
});
