/**
 * A cron expression as days and times of day. node-cron judges the syntax; what the fields mean for a date is said
 * here, since node-cron's own matcher asks the clock of the machine. Fields are joined by *and*, as node-cron has it.
 */
import { type ParsedFields, validateDetailed } from "node-cron";
import { plainWords } from "../../../protocol/plain-words.ts";
import { err, type Fault, ok, type Result } from "../../../protocol/result.ts";

export type Cron = {
  /** Rising. */
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  /** Days of a month on which it comes due, rising. */
  daysOf(year: number, month: number): readonly number[];
};

/**
 * Reads five fields. Errors: `cron-invalid`; `window-never-opens` for one that comes due on no day of the calendar,
 * such as 30 February.
 */
export function readCron(text: string): Result<Cron, Fault<"cron-invalid" | "window-never-opens">> {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 5) return err(invalid(text, `it has ${fields.length} fields and not five`));
  // No field counts beyond 59; node-cron would write a longer range out, number by number.
  if (/\d{3}/.test(text)) return err(invalid(text, "a number in it is too large"));
  const judged = validateDetailed(fields.join(" "));
  if (judged.fields !== undefined && judged.valid) return fires(text, judged.fields);
  const anyMonth = validateDetailed(fields.with(3, "*").join(" "));
  if (anyMonth.valid && judged.errors.every((error) => error.field === "dayOfMonth")) return err(never(text));
  return err(invalid(text, judged.errors[0]?.message ?? "node-cron does not take it"));
}

function fires(text: string, fields: ParsedFields): Result<Cron, Fault<"window-never-opens">> {
  const minutes = rising(fields.minute);
  const hours = rising(fields.hour);
  const cron: Cron = { minutes, hours, daysOf: (year, month) => daysOf(fields, year, month) };
  return CALENDAR.some(([year, month]) => cron.daysOf(year, month).length > 0) ? ok(cron) : err(never(text));
}

/** After 400 years dates and weekdays come round as they were. */
const CALENDAR: readonly (readonly [year: number, month: number])[] = Array.from(
  { length: 400 * 12 },
  (_, at) => [2000 + Math.floor(at / 12), 1 + (at % 12)],
);

function daysOf(fields: ParsedFields, year: number, month: number): number[] {
  if (!fields.month.includes(month)) return [];
  const last = lastDay(year, month);
  const days = new Set(fields.dayOfMonth.map((value) => dayNamed(value, year, month, last)));
  const isWeekday = (day: number): boolean => {
    const weekday = weekdayOf(year, month, day);
    return fields.dayOfWeek.some((value) => isNamed(value, weekday, day, last));
  };
  return Array.from({ length: last }, (_, at) => at + 1).filter((day) => days.has(day) && isWeekday(day));
}

/** `L` is the last day, `L-3` three before it, `15W` the working day nearest to the 15th, `LW` to the last. */
function dayNamed(value: number | string, year: number, month: number, last: number): number | null {
  if (typeof value === "number") return value;
  const [, before] = /^L-(\d+)$/.exec(value) ?? [];
  if (before !== undefined) return last - Number(before);
  const [, near] = /^(\d+|L)W$/.exec(value) ?? [];
  if (near === undefined) return value === "L" ? last : null;
  const day = near === "L" ? last : Number(near);
  if (day < 1 || day > last) return null;
  const weekday = weekdayOf(year, month, day);
  if (weekday === 6) return day === 1 ? 3 : day - 1;
  if (weekday === 0) return day === last ? day - 2 : day + 1;
  return day;
}

/** `5` is every Friday, `5#2` the second of the month, `5L` the last. */
function isNamed(value: number | string, weekday: number, day: number, last: number): boolean {
  if (typeof value === "number") return value === weekday;
  const [, named, nth] = /^([0-7])(?:L|#([1-5]))$/.exec(value) ?? [];
  if (named === undefined || Number(named) % 7 !== weekday) return false;
  return nth === undefined ? day + 7 > last : Math.ceil(day / 7) === Number(nth);
}

const lastDay = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate();

const weekdayOf = (year: number, month: number, day: number): number =>
  new Date(Date.UTC(year, month - 1, day)).getUTCDay();

const rising = (values: readonly number[]): number[] => [...new Set(values)].sort((a, b) => a - b);

const invalid = (text: string, why: string): Fault<"cron-invalid"> => ({
  code: "cron-invalid",
  message: `"${plainWords(text, 200)}" is no cron expression: ${plainWords(why, 200)}.`,
  hint: "Five fields: minute, hour, day of month, month, day of week, such as `0 22 * * 1-5`.",
  context: { cron: text },
});

const never = (text: string): Fault<"window-never-opens"> => ({
  code: "window-never-opens",
  message: `A window at "${plainWords(text, 200)}" would never open: it comes due on no day of any year.`,
  hint: "Check the day of the month against the month and the day of the week; all of them must fit.",
  context: { cron: text },
});
