import type { Kysely } from "kysely";
import type { DurationMs, EpochMs } from "../../../protocol/time.ts";
import { prepare, type Runner } from "../sql/prepared.ts";
import type { Tables } from "../sql/tables.ts";
import type { Transact } from "../sql/transact.ts";
import { type Patience, writeOnce } from "./write-once.ts";

type On = Patience & { readonly now: () => EpochMs };

/** Transactions over a network. Each leaves a receipt, a row with an id of its own: see `writeOnce`. */
export function transactThere(db: Kysely<Tables>, { now, ...patience }: On): Transact {
  const receipts = prepareReceipts(db);
  return (work) =>
    writeOnce(
      {
        write: (id, asked) =>
          db.transaction().execute(async (on) => {
            const answer = await work(on);
            await receipts.leave(on, id, now());
            asked(answer);
            return answer;
          }),
        wasWritten: (id) => db.transaction().execute((on) => receipts.isThere(on, id)),
      },
      patience,
    );
}

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
