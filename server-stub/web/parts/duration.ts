/** How people say times. */
const UNITS = [
  ["y", 31_557_600_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** "12 s", "5 min", "3 h": the largest unit that fits, rounded down. */
export function shortDuration(ms: number): string {
  for (const [unit, size] of UNITS) {
    if (ms >= size) return `${Math.floor(ms / size)} ${unit}`;
  }
  return "0 s";
}

/** "now", "12 s ago", "in 5 min". */
export function relative(at: number, now: number): string {
  const past = now - at;
  if (Math.abs(past) < 2_000) return "now";
  return past > 0 ? `${shortDuration(past)} ago` : `in ${shortDuration(-past)}`;
}

const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

/** The instant to the second, with its time zone, as this reader's machine writes it. */
export const exact = (at: number): string => EXACT.format(at);
