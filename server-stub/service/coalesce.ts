/**
 * Work that is the same however often it is asked for, such as bringing a rollout to where it should be: while it
 * runs, everybody who asks again waits for one more run together, which begins after they asked.
 *
 * Work that takes long leaves most of the time to others. A rollout of ten thousand nodes is asked for hundreds of times
 * a second: looking at it without a pause would leave nothing to hear its nodes with.
 */
import type { DurationMs, EpochMs } from "../../protocol/time.ts";

export type Coalesce = (key: string, work: () => Promise<void>) => Promise<void>;

export type Pacing = {
  readonly now: () => EpochMs;
  readonly pause: (ms: DurationMs) => Promise<void>;
};

/** What takes no longer is begun again at once; what does, after so many times as long, and never after more than that. */
const LONG_MS: DurationMs = 20;
const PAUSE = { times: 3, mostMs: 500 };

/** Without `pacing` everything is begun again at once. */
export function createCoalesce(pacing?: Pacing): Coalesce {
  const running = new Map<string, Promise<void>>();
  const next = new Map<string, Promise<void>>();
  const rests = createRests(pacing);
  const run = async (key: string, work: () => Promise<void>): Promise<void> => {
    const endsNow = rests.begin(key);
    const done = work();
    running.set(key, done);
    try {
      await done;
    } finally {
      running.delete(key);
      endsNow();
    }
  };
  return (key, work) => {
    const now = running.get(key);
    if (now === undefined && !next.has(key) && !rests.has(key)) return run(key, work);
    const waiting = next.get(key);
    if (waiting !== undefined) return waiting;
    const ended = (now ?? Promise.resolve()).catch(() => undefined);
    const after = rests.after(key, ended).then(() => {
      next.delete(key);
      return run(key, work);
    });
    next.set(key, after);
    return after;
  };
}

/** How long each work is to be left alone. */
type Rests = {
  /** The work begins; the answered function is called when it has ended. */
  begin(key: string): () => void;
  has(key: string): boolean;
  /** When `ended` has, and the rest is over. */
  after(key: string, ended: Promise<void>): Promise<void>;
};

function createRests(pacing: Pacing | undefined): Rests {
  if (pacing === undefined)
    return { begin: () => () => undefined, has: () => false, after: (_, ended) => ended };
  const until = new Map<string, EpochMs>();
  const leftMs = (key: string): DurationMs => (until.get(key) ?? 0) - pacing.now();
  return {
    begin: (key) => {
      const began = pacing.now();
      until.delete(key);
      return () => {
        const tookMs = pacing.now() - began;
        if (tookMs < LONG_MS) return;
        until.set(key, pacing.now() + Math.min(PAUSE.mostMs, PAUSE.times * tookMs));
      };
    },
    has: (key) => leftMs(key) > 0,
    after: async (key, ended) => {
      await ended;
      const ms = leftMs(key);
      if (ms > 0) await pacing.pause(ms);
    },
  };
}
