import type { Change } from "../store/records.ts";
import type { Store } from "../store/store.ts";

/** What was decided from what was read: what to write, and what to answer once it is written. */
export type Decision<T> = { readonly changes: readonly Change[]; readonly answer: T };

/** Many more than can happen by chance; a loop that never ends would be worse than an error. */
const MAX_ATTEMPTS = 50;

/**
 * Reads, decides and writes as one: when somebody else wrote in between, everything is read and decided again.
 * A decision without changes writes nothing.
 */
export async function attempt<T>(store: Store, decide: () => Promise<Decision<T>>): Promise<T> {
  let conflict = "nothing";
  for (let tries = 0; tries < MAX_ATTEMPTS; tries += 1) {
    const { changes, answer } = await decide();
    if (changes.length === 0) return answer;
    const applied = await store.apply(changes);
    if (applied.ok) return answer;
    conflict = applied.conflict;
  }
  throw new Error(`the store kept refusing a write of a ${conflict} that was read afresh every time`);
}
