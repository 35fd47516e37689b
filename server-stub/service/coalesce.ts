/**
 * Work that is the same however often it is asked for, such as bringing a rollout to where it should be: while it
 * runs, everybody who asks again waits for one more run together, which begins after they asked.
 */
export type Coalesce = (key: string, work: () => Promise<void>) => Promise<void>;

export function createCoalesce(): Coalesce {
  const running = new Map<string, Promise<void>>();
  const next = new Map<string, Promise<void>>();
  const run = async (key: string, work: () => Promise<void>): Promise<void> => {
    const done = work();
    running.set(key, done);
    try {
      await done;
    } finally {
      running.delete(key);
    }
  };
  return (key, work) => {
    const now = running.get(key);
    if (now === undefined && !next.has(key)) return run(key, work);
    const waiting = next.get(key);
    if (waiting !== undefined) return waiting;
    const after = (now ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => {
        next.delete(key);
        return run(key, work);
      });
    next.set(key, after);
    return after;
  };
}
