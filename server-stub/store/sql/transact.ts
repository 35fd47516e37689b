import type { Kysely, Transaction } from "kysely";
import type { Tables } from "./tables.ts";

/**
 * Runs `work` in one transaction that writes, and answers what it answered once all of it is durable. What `work`
 * throws undoes everything and comes out unchanged. On an engine at the other end of a network `work` may run more
 * than once, each time from the beginning, and only when it is certain that nothing of the last time remains.
 * Throws `StoreAway` when the engine cannot be reached any more.
 */
export type Transact = <T>(work: (on: Transaction<Tables>) => Promise<T>) => Promise<T>;

/** For an engine within the process: what it says is what happened. */
export const transactHere =
  (db: Kysely<Tables>): Transact =>
  (work) =>
    db.transaction().execute(work);

/**
 * The database could not be reached for longer than anybody should wait. `outcome`: whether it is certain that
 * nothing was written; `unknown` when the last thing asked of it was to make everything durable, and nobody could
 * tell since.
 */
export class StoreAway extends Error {
  readonly outcome: "not-written" | "unknown";
  constructor(outcome: "not-written" | "unknown", cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const what =
      outcome === "unknown" ? "and whether it was written is not known" : "and nothing was written";
    super(`the database cannot be reached, ${what}: ${why}`, { cause });
    this.name = "StoreAway";
    this.outcome = outcome;
  }
}
