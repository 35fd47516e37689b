/**
 * When a cron expression comes due in a time zone. Local times are read as RFC 5545 (3.3.5) reads them: one that a
 * change of clocks leaves out comes that much later, one that comes twice is meant the first time. Where every hour
 * is meant, both are. Most days have no change, and are reckoned without asking the zone for each time.
 */
import type { EpochMs } from "../../../protocol/time.ts";
import type { Cron } from "./cron.ts";

export type Schedule = { readonly cron: Cron; readonly timezone: string };

const DAY = { days: 1 } as const;

/** Every instant after `from` and until `to`, rising. */
export function duesIn(schedule: Schedule, from: EpochMs, to: EpochMs): EpochMs[] {
  const last = dateAt(to, schedule.timezone);
  const found: EpochMs[] = [];
  // A time that its own day leaves out may come on the next.
  for (let date = dateAt(from, schedule.timezone).subtract(DAY); ; date = date.add(DAY)) {
    if (Temporal.PlainDate.compare(date, last) > 0) break;
    if (schedule.cron.daysOf(date.year, date.month).includes(date.day))
      found.push(...timesOn(schedule, date));
  }
  return rising(found.filter((at) => at > from && at <= to));
}

/** The first instant after `after`; null when there is none in the next 400 years. */
export function nextDue(schedule: Schedule, after: EpochMs): EpochMs | null {
  const first = dateAt(after, schedule.timezone).subtract(DAY);
  let month = first.with({ day: 1 });
  for (let months = 0; months < 400 * 12; months += 1) {
    for (const day of schedule.cron.daysOf(month.year, month.month)) {
      const date = month.with({ day });
      if (Temporal.PlainDate.compare(date, first) < 0) continue;
      const at = timesOn(schedule, date).find((time) => time > after);
      if (at !== undefined) return at;
    }
    month = month.add({ months: 1 });
  }
  return null;
}

/** The instants of one day, rising. */
function timesOn({ cron, timezone }: Schedule, date: Temporal.PlainDate): EpochMs[] {
  const start = date.toZonedDateTime(timezone);
  const end = date.add(DAY).toZonedDateTime(timezone).epochMilliseconds;
  const change = start.getTimeZoneTransition("next");
  const isEven = start.hour + start.minute === 0 && (change === null || change.epochMilliseconds >= end);
  const times = cron.hours.flatMap((hour) => cron.minutes.map((minute) => ({ hour, minute })));
  if (isEven) return times.map(({ hour, minute }) => start.epochMilliseconds + (hour * 60 + minute) * 60_000);
  const readings = cron.hours.length === 24 ? (["compatible", "later"] as const) : (["compatible"] as const);
  const instants = times.flatMap((time) => {
    const local = date.toPlainDateTime(time);
    return readings.map((disambiguation) => local.toZonedDateTime(timezone, { disambiguation }));
  });
  return rising(instants.map((instant) => instant.epochMilliseconds));
}

const dateAt = (at: EpochMs, timezone: string): Temporal.PlainDate =>
  Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timezone).toPlainDate();

const rising = (values: readonly EpochMs[]): EpochMs[] => [...new Set(values)].sort((a, b) => a - b);
