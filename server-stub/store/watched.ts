import type { Applied, Change } from "./records.ts";
import type { Store } from "./store.ts";

/** Somebody who looks on while a store is written to. It must be quick, and must not throw. */
export type StoreWatch = {
  /** A batch was written, or found that it may not be. `tookMs` with the wait for the disk. */
  readonly applied?: (changes: readonly Change[], applied: Applied, tookMs: number) => void;
  /** The storage failed; nothing of the batch was written. */
  readonly failed?: (error: unknown, tookMs: number) => void;
};

/** The same store, looked on. `uptime` is any clock that only rises, in milliseconds. */
export const watchedStore = (store: Store, watches: readonly StoreWatch[], uptime: () => number): Store => ({
  ...store,
  apply: async (changes) => {
    const from = uptime();
    let applied: Applied;
    try {
      applied = await store.apply(changes);
    } catch (error) {
      for (const watch of watches) watch.failed?.(error, uptime() - from);
      throw error;
    }
    for (const watch of watches) watch.applied?.(changes, applied, uptime() - from);
    return applied;
  },
});

/** Remembers why the last write failed, until one succeeds. */
export function watchWrites(): { readonly watch: StoreWatch; readonly fault: () => string | null } {
  let fault: string | null = null;
  return {
    fault: () => fault,
    watch: {
      applied: () => {
        fault = null;
      },
      failed: (error) => {
        fault = error instanceof Error ? error.message : String(error);
      },
    },
  };
}
