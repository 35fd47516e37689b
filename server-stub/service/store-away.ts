import { ConnectionLost, FailedOver } from "../store/postgres/faults.ts";
import { StoreAway } from "../store/sql/transact.ts";

/**
 * Whether something failed only because the database was away, or has failed over, so that to ask again helps;
 * `unknown`: and nobody can say whether it was written. Null for every other fault.
 */
export function whyAway(error: unknown): StoreAway["outcome"] | null {
  if (error instanceof StoreAway) return error.outcome;
  return error instanceof ConnectionLost || error instanceof FailedOver ? "not-written" : null;
}
