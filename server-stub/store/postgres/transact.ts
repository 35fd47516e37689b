import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Kysely, Transaction } from "kysely";
import type { DurationMs, EpochMs } from "../../../protocol/time.ts";
import { prepare, type Runner } from "../sql/prepared.ts";
import type { Tables } from "../sql/tables.ts";
import { StoreAway, type Transact } from "../sql/transact.ts";
import { ConnectionLost, FailedOver, isWorthAnother } from "./faults.ts";

type On = {
  readonly now: () => EpochMs;
  /** How long a transaction is tried, from its beginning, before somebody is told. */
  readonly tryMs?: DurationMs;
  readonly wait?: (ms: DurationMs) => Promise<unknown>;
};

const TRY_MS: DurationMs = 10_000;
const PAUSE_MS: DurationMs = 20;

/**
 * Transactions over a network. Each leaves a receipt, a row with an id of its own. When the reply to a commit is lost,
 * the receipt says what became of it: found, it was written; not found, it was not and never will be, since the
 * question waits for the lock that the lost transaction would still hold. Only then is it run again.
 */
export function transactThere(db: Kysely<Tables>, { now, tryMs = TRY_MS, wait = sleep }: On): Transact {
  const receipts = prepareReceipts(db);

  /** Whether it was written. Throws what keeps it from being found out. */
  const wasWritten = (id: string): Promise<boolean> =>
    db.transaction().execute((on) => receipts.isThere(on, id));

  async function tryOnce<T>(work: Work<T>, before: Asked<T> | null): Promise<Tried<T>> {
    let doubt = before;
    try {
      if (doubt !== null && (await wasWritten(doubt.id))) return { done: true, answer: doubt.answer };
      doubt = null;
      const id = randomUUID();
      const answer = await db.transaction().execute(async (on) => {
        const result = await work(on);
        await receipts.leave(on, id, now());
        doubt = { id, answer: result };
        return result;
      });
      return { done: true, answer };
    } catch (cause) {
      // A server that refuses a commit has undone it.
      return {
        done: false,
        cause,
        doubt: cause instanceof ConnectionLost || doubt === before ? doubt : null,
      };
    }
  }

  return async (work) => {
    const until = performance.now() + tryMs;
    let tried = await tryOnce(work, null);
    while (!tried.done) {
      const { cause, doubt } = tried;
      const isOver = cause instanceof FailedOver;
      if (doubt === null && !isOver && !isWorthAnother(cause)) throw cause;
      if (isOver || performance.now() >= until)
        throw new StoreAway(doubt === null ? "not-written" : "unknown", cause);
      await wait(PAUSE_MS);
      tried = await tryOnce(work, doubt);
    }
    return tried.answer;
  };
}

type Work<T> = (on: Transaction<Tables>) => Promise<T>;
type Tried<T> =
  | { readonly done: true; readonly answer: T }
  | { readonly done: false; readonly cause: unknown; readonly doubt: Asked<T> | null };

/** What a transaction would answer, when all that was left was to make it durable. */
type Asked<T> = { readonly id: string; readonly answer: T };

/** Nobody asks for a receipt later than this, by any clock. */
const KEEP_MS: DurationMs = 24 * 3_600_000;
/** Once in so many writes those that nobody asks for any more are let go of. */
const TIDY_EVERY = 4_096;

function prepareReceipts(db: Kysely<Tables>) {
  let left = 0;
  const insert = prepare<{ id: string; at: number }, unknown>((p) =>
    db.insertInto("receipt").values({ id: p("id"), at: p("at") }),
  );
  const tidy = prepare<{ before: number }, unknown>((p) =>
    db.deleteFrom("receipt").where("at", "<", p("before")),
  );
  const find = prepare<{ id: string }, { id: string }>((p) =>
    db.selectFrom("receipt").select("id").where("id", "=", p("id")),
  );
  return {
    leave: async (on: Runner, id: string, at: EpochMs): Promise<void> => {
      await insert(on, { id, at });
      left += 1;
      if (left % TIDY_EVERY === 0) await tidy(on, { before: at - KEEP_MS });
    },
    isThere: async (on: Runner, id: string): Promise<boolean> => (await find(on, { id })).rows.length === 1,
  };
}
