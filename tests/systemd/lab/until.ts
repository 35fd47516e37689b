import { setTimeout as pause } from "node:timers/promises";

export type UntilOptions = {
  /** What is waited for, in words; the error says it. */
  readonly what: string;
  readonly timeoutMs?: number;
  /** How long between two looks, milliseconds. */
  readonly everyMs?: number;
};

/**
 * Looks again and again until the look gives something, and gives that. For states of another machine, which
 * send no event to wait for. Throws when the time is up, with the last error that a look itself threw.
 */
export async function until<T>(
  look: () => Promise<T | undefined | false> | T | undefined | false,
  options: UntilOptions,
): Promise<T> {
  const timeoutMs = options.timeoutMs ?? 30_000;
  const end = performance.now() + timeoutMs;
  let fault: unknown;
  for (;;) {
    try {
      const seen = await look();
      fault = undefined;
      if (seen !== undefined && seen !== false) return seen;
    } catch (error) {
      fault = error;
    }
    if (performance.now() > end) {
      throw new Error(`After ${timeoutMs / 1000} s there was still no: ${options.what}`, { cause: fault });
    }
    await pause(options.everyMs ?? 50);
  }
}
