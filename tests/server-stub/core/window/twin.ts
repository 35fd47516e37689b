/** Windows the dumb way: goes through time minute by minute with a clock on the wall, and remembers nothing. */
export type DumbWindow = {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly weekdays: readonly number[];
  readonly timezone: string;
  readonly minutesLong: number;
};

const MINUTE_MS = 60_000;
/** No change of clocks is longer. */
const LONGEST_CHANGE = 180;

/** Whether a window is open at the beginning of a minute. */
export function dumbIsOpen(windows: readonly DumbWindow[], at: number): boolean {
  return windows.some((window) => {
    for (let ago = 0; ago < window.minutesLong; ago += 1) {
      if (comesDue(window, at - ago * MINUTE_MS)) return true;
    }
    return false;
  });
}

function comesDue(window: DumbWindow, at: number): boolean {
  const reads = offsetAt(window.timezone, at);
  if (fits(window, at + reads) && (window.hours.length === 24 || !wasReadBefore(window.timezone, at)))
    return true;
  // A clock that nobody has put forward would read this now, and the clock on the wall never read it.
  const unchanged = offsetAt(window.timezone, at - LONGEST_CHANGE * MINUTE_MS);
  if (unchanged >= reads) return false;
  const reading = at + unchanged;
  return fits(window, reading) && isLeftOut(window.timezone, reading, unchanged, reads);
}

/** The wall showed the same time before. */
function wasReadBefore(timezone: string, at: number): boolean {
  const reading = at + offsetAt(timezone, at);
  for (let ago = 1; ago <= LONGEST_CHANGE; ago += 1) {
    const earlier = at - ago * MINUTE_MS;
    if (earlier + offsetAt(timezone, earlier) === reading) return true;
  }
  return false;
}

/** Neither by the old offset nor by the new one is there an instant at which the wall showed it. */
const isLeftOut = (timezone: string, reading: number, before: number, after: number): boolean =>
  [before, after].every((offset) => offsetAt(timezone, reading - offset) !== offset);

function fits({ minutes, hours, weekdays }: DumbWindow, reading: number): boolean {
  const wall = new Date(reading);
  return (
    minutes.includes(wall.getUTCMinutes()) &&
    hours.includes(wall.getUTCHours()) &&
    weekdays.includes(wall.getUTCDay())
  );
}

const seen = new Map<string, number>();

/** What the wall shows beyond UTC, in milliseconds. */
function offsetAt(timezone: string, at: number): number {
  // Offsets change on the half hour at the earliest.
  const key = `${timezone} ${Math.floor(at / (30 * MINUTE_MS))}`;
  const known = seen.get(key);
  if (known !== undefined) return known;
  const offset =
    Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timezone).offsetNanoseconds / 1e6;
  seen.set(key, offset);
  return offset;
}
