import type { Change } from "../store/records.ts";
import type { Store } from "../store/store.ts";

/** What was decided from what was read: what to write, and what to answer once it is written. */
export type Decision<T> = { readonly changes: readonly Change[]; readonly answer: T };

/** Many more than can happen by chance; a loop that never ends would be worse than an error. */
const MAX_ATTEMPTS = 50;

/** Where those wait whose first try failed. */
const lines = new WeakMap<Store, Promise<unknown>>();

/**
 * Reads, decides and writes as one: when somebody else wrote in between, everything is read and decided again.
 * A decision without changes writes nothing. Second tries come one after the other: of a crowd that read the same
 * record at the same moment only one writes it, and the rest must not lose that race again and again.
 */
export async function attempt<T>(store: Store, decide: () => Promise<Decision<T>>): Promise<T> {
  const first = await tryOnce(store, decide);
  if (first.done) return first.answer;
  const again = (lines.get(store) ?? Promise.resolve()).then(() => tryAgain(store, decide));
  lines.set(
    store,
    again.catch(() => undefined),
  );
  return again;
}

async function tryAgain<T>(store: Store, decide: () => Promise<Decision<T>>): Promise<T> {
  let conflict = "nothing";
  for (let tries = 1; tries < MAX_ATTEMPTS; tries += 1) {
    const tried = await tryOnce(store, decide);
    if (tried.done) return tried.answer;
    conflict = tried.conflict;
  }
  throw new Error(`the store kept refusing a write of a ${conflict} that was read afresh every time`);
}

type Tried<T> =
  | { readonly done: true; readonly answer: T }
  | { readonly done: false; readonly conflict: string };

async function tryOnce<T>(store: Store, decide: () => Promise<Decision<T>>): Promise<Tried<T>> {
  const { changes, answer } = await decide();
  if (changes.length === 0) return { done: true, answer };
  const applied = await store.apply(changes);
  return applied.ok ? { done: true, answer } : { done: false, conflict: applied.conflict };
}
