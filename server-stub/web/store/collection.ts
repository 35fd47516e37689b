/**
 * Things of one kind by their key, each in a signal of its own: what shows one thing is drawn anew when that one
 * changes, and nothing else is. Filled by a GET, kept by the events.
 *
 * Invariant: an event that came while a GET was under way is newer than what the GET answers, and stays.
 */
import { batch, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Problem } from "../../../protocol/problem.ts";
import type { Answer } from "../api/client.ts";

export type Filled =
  | { readonly kind: "waiting" }
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly problem: Problem };

export type Collection<T> = {
  readonly filled: ReadonlySignal<Filled>;
  /** In the order in which they came; another list whenever one comes or goes. */
  readonly keys: ReadonlySignal<readonly string[]>;
  /** Rises when anything in it has changed, several times a second at most: for lists, counts and sums. */
  readonly revision: ReadonlySignal<number>;
  get(key: string): ReadonlySignal<T> | undefined;
  /** All of them as they are now; who wants to follow reads `revision` as well. */
  all(): readonly T[];
  /** Fills it, the first time. */
  want(): void;
  /** Fills it anew, soon: calls in between become one. Nothing while nobody has wanted it. */
  refill(): void;
  /** What an event says: null that it is gone. */
  take(key: string, value: T | null): void;
  /** Forgets everything: somebody else signs in. */
  clear(): void;
};

/** Between two looks at what has changed, and between two fillings. */
const SETTLE_MS = 250;
const REFILL_MS = 1_000;
const RETRY_MS = 5_000;

export function createCollection<T>(options: {
  readonly key: (value: T) => string;
  /** Resolves when no change can be missed. */
  readonly ready: () => Promise<void>;
  /** `more` may be told of what is there already. */
  readonly fill: (more: (items: readonly T[]) => void) => Answer<readonly T[]>;
}): Collection<T> {
  const { key: keyOf, fill } = options;
  const filled = signal<Filled>({ kind: "waiting" });
  const keys = signal<readonly string[]>([]);
  const revision = signal(0);
  const byKey = new Map<string, Signal<T>>();
  /** Keys of which an event has told since the filling began. */
  let told: Set<string> | null = null;
  let wanted = false;
  let settles = false;
  let due: ReturnType<typeof setTimeout> | undefined;
  let busy = false;
  let era = 0;

  const changed = (): void => {
    if (settles) return;
    settles = true;
    setTimeout(() => {
      settles = false;
      revision.value += 1;
    }, SETTLE_MS);
  };
  const put = (key: string, value: T): boolean => {
    const known = byKey.get(key);
    if (known === undefined) {
      byKey.set(key, signal(value));
      return true;
    }
    known.value = value;
    return false;
  };
  const putAll = (items: readonly T[]): void =>
    batch(() => {
      let fresh = false;
      for (const item of items) {
        const key = keyOf(item);
        if (told?.has(key) !== true) fresh = put(key, item) || fresh;
      }
      if (fresh) keys.value = [...byKey.keys()];
      revision.value += 1;
    });
  const keepOnly = (items: readonly T[]): void => {
    const there = new Set(items.map(keyOf));
    const gone = [...byKey.keys()].filter((key) => !there.has(key) && told?.has(key) !== true);
    for (const key of gone) byKey.delete(key);
    if (gone.length > 0) keys.value = [...byKey.keys()];
  };
  const fillNow = async (): Promise<void> => {
    await options.ready();
    if (!wanted) return;
    const mine = era;
    busy = true;
    told = new Set();
    const first = filled.value.kind !== "ready";
    const answer = await fill((items) => {
      if (first && mine === era) putAll(items);
    });
    if (mine !== era) return;
    busy = false;
    if (answer.ok) {
      batch(() => {
        putAll(answer.value);
        keepOnly(answer.value);
        filled.value = { kind: "ready" };
      });
      told = null;
      return;
    }
    told = null;
    if (first) filled.value = { kind: "failed", problem: answer.error };
    refillIn(RETRY_MS);
  };
  const refillIn = (ms: number): void => {
    if (!wanted) return;
    due ??= setTimeout(() => {
      due = undefined;
      if (busy) refillIn(ms);
      else void fillNow();
    }, ms);
  };

  return {
    filled,
    keys,
    revision,
    get: (key) => byKey.get(key),
    all: () => Array.from(byKey.values(), (each) => each.peek()),
    want() {
      if (wanted) return;
      wanted = true;
      void fillNow();
    },
    refill: () => refillIn(REFILL_MS),
    take(key, value) {
      if (!wanted) return;
      told?.add(key);
      if (value === null) {
        if (byKey.delete(key)) keys.value = [...byKey.keys()];
      } else if (put(key, value)) keys.value = [...byKey.keys()];
      changed();
    },
    clear() {
      era += 1;
      wanted = false;
      busy = false;
      told = null;
      clearTimeout(due);
      due = undefined;
      byKey.clear();
      batch(() => {
        keys.value = [];
        filled.value = { kind: "waiting" };
        revision.value += 1;
      });
    },
  };
}
