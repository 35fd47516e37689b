import type { DurationMs, EpochMs } from "../../../protocol/time.ts";

/** How often a message is tried, and until when after it was written. */
export const MAX_ATTEMPTS = 10;
export const GIVE_UP_AFTER_MS: DurationMs = 24 * 3_600_000;

const FIRST_MS: DurationMs = 10_000;
const FACTOR = 3;
const LONGEST_MS: DurationMs = 12 * 3_600_000;
/** A tenth more or less, so that those who failed together do not come together. */
const JITTER = 0.1;

/**
 * When a message that has failed `attempts` times is tried again, counted from `now`: after ten seconds, and then
 * three times as long each time, or when the receiver asked for it if that is later. Null: it is given up. `chance`
 * is between 0 and 1.
 */
export function nextTry(
  tried: { readonly attempts: number; readonly writtenAt: EpochMs; readonly retryAfterMs: DurationMs | null },
  now: EpochMs,
  chance: number,
): EpochMs | null {
  const { attempts, writtenAt, retryAfterMs } = tried;
  if (attempts >= MAX_ATTEMPTS) return null;
  const usual = Math.min(LONGEST_MS, FIRST_MS * FACTOR ** (attempts - 1));
  const spread = usual * (1 - JITTER + 2 * JITTER * chance);
  const at = now + Math.round(Math.max(spread, retryAfterMs ?? 0));
  return at > writtenAt + GIVE_UP_AFTER_MS ? null : at;
}
