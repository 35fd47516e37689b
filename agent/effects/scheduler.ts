import type { DurationMs } from "../../protocol/time.ts";

/** Calls back after a while; handed in, so that tests turn the hands. */
export type Scheduler = {
  /** Calls `run` once, `ms` from now; the returned function takes that back. */
  after(ms: DurationMs, run: () => void): () => void;
};

export const realScheduler: Scheduler = {
  after: (ms, run) => {
    const timer = setTimeout(run, Math.max(0, ms));
    return () => clearTimeout(timer);
  },
};
