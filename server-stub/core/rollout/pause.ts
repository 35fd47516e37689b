/**
 * The pause between two stages. Pure.
 *
 * It is there for watching, so it is counted by the looks that the engine takes at it: what passed since the last look
 * that was noted, on the clock that only rises. A restart begins that clock anew at the wall clock, which may have been
 * set meanwhile, so one look counts for a minute at most and never for less than nothing. Whatever the wall clock does,
 * a pause is neither skipped nor hangs: a restart makes it longer or shorter by a minute at most, and the time that the
 * coordinator was away counts for that minute too. See docs/adr/0085-stages-and-places.md.
 */
import type { DurationMs, EpochMs } from "../../../protocol/time.ts";
import type { StagePause } from "./rollout.ts";

/** How much one look may count for; a longer pause is noted as often as this. */
export const COUNTED_AT_ONCE_MS: DurationMs = 60_000;

/** `pauseMs` null waits for an operator's word. */
export const beginPause = (pauseMs: DurationMs | null, nowMs: EpochMs): StagePause => ({
  leftMs: pauseMs,
  notedMs: nowMs,
});

/** The pause as it stands now; the same object while it need not be noted. */
export function countPause(pause: StagePause, nowMs: EpochMs): StagePause {
  const left = leftOf(pause, nowMs);
  if (left === null || pause.leftMs === null) return pause;
  const passed = nowMs - pause.notedMs;
  const isDue = left <= 0 || Math.abs(passed) >= COUNTED_AT_ONCE_MS;
  return isDue ? { leftMs: left, notedMs: nowMs } : pause;
}

/** Nothing is counted from here on until `wake`. */
export const sleep = (pause: StagePause, nowMs: EpochMs): StagePause => ({
  leftMs: leftOf(pause, nowMs),
  notedMs: nowMs,
});

/** Counted again from here on; one that waited for an operator's word has had it. */
export const wake = (pause: StagePause, nowMs: EpochMs): StagePause => ({
  leftMs: pause.leftMs ?? 0,
  notedMs: nowMs,
});

function leftOf({ leftMs, notedMs }: StagePause, nowMs: EpochMs): DurationMs | null {
  if (leftMs === null) return null;
  const counted = Math.min(Math.max(0, nowMs - notedMs), COUNTED_AT_ONCE_MS);
  return Math.max(0, leftMs - counted);
}
