import { type ReadonlySignal, signal } from "@preact/signals";

/**
 * The coordinator's time, as well as it is known here: all instants on the pages are its own, and the clock of the
 * machine that shows them may be wrong.
 */
export type Clock = {
  /** Changes every second. */
  readonly now: ReadonlySignal<number>;
  /** Takes the time from an answer of the coordinator. */
  readonly heard: (answer: Response) => void;
};

/** The header has seconds only: less than this is no difference. */
const TOLERANCE_MS = 2_000;

export function createClock(wall: () => number = Date.now): Clock {
  let offsetMs = 0;
  const now = signal(wall());
  setInterval(() => {
    now.value = wall() + offsetMs;
  }, 1_000);
  return {
    now,
    heard(answer) {
      const theirs = Date.parse(answer.headers.get("date") ?? "");
      if (Number.isNaN(theirs)) return;
      const offset = theirs - wall();
      const before = offsetMs;
      offsetMs = Math.abs(offset) < TOLERANCE_MS ? 0 : offset;
      // What is noted from now on is noted by the right time, and not by the next second.
      if (Math.abs(offsetMs - before) >= TOLERANCE_MS) now.value = wall() + offsetMs;
    },
  };
}
