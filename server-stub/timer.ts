import type { DurationMs } from "../protocol/time.ts";

export type Engine = {
  /** Ends the ticking; resolves when the tick under way has ended. */
  stop(): Promise<void>;
};

/**
 * Calls `tick` again and again, `everyMs` after the last one has ended: ticks never overlap, however long one takes.
 * One that fails is told to `failed`, and the next comes all the same.
 */
export function startEngine(
  tick: () => Promise<void>,
  everyMs: DurationMs,
  failed: (error: unknown) => void,
): Engine {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let running: Promise<void> = Promise.resolve();
  const round = (): void => {
    running = tick()
      .catch(failed)
      .then(() => {
        if (!stopped) timer = setTimeout(round, everyMs);
      });
  };
  round();
  return {
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
