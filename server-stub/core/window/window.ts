/** Maintenance windows: whether one is open at an instant, until when, and when one opens next. Pure. */
import type { Window } from "../../../protocol/policy.ts";
import { err, type Fault, ok, type Result } from "../../../protocol/result.ts";
import type { DurationMs, EpochMs } from "../../../protocol/time.ts";
import { readCron } from "./cron.ts";
import { duesIn, nextDue, type Schedule } from "./due.ts";

export type WindowFault = Fault<"cron-invalid" | "timezone-unknown" | "window-never-opens">;

/** `until` is null when it does not close within eight days; `opensAt` when it never opens. */
export type WindowState =
  | { readonly open: true; readonly until: EpochMs | null }
  | ({ readonly open: false } & NextOpening);
export type NextOpening = { readonly opensAt: EpochMs | null; readonly timezone: string | null };

/** A window lasts for a week at most: this far ahead a chain of them is followed, and no further. */
const AHEAD_MS: DurationMs = 8 * 86_400_000;

/** No windows at all are one that is always open. Those that overlap or touch are one. */
export function windowState(windows: readonly Window[], now: EpochMs): WindowState {
  if (windows.length === 0) return { open: true, until: null };
  return isOpen(windows, now)
    ? { open: true, until: closesAt(windows, now) }
    : { open: false, ...nextOpening(windows, now) };
}

/** The same without asking when it closes, which takes a look at many days. */
export function isOpen(windows: readonly Window[], now: EpochMs): boolean {
  const holds = ({ durationMs, ...schedule }: Opening) => duesIn(schedule, now - durationMs, now).length > 0;
  return windows.length === 0 || read(windows).some(holds);
}

/** Errors: `cron-invalid`, `timezone-unknown`, `window-never-opens`, of the first that cannot be. */
export function checkWindows(windows: readonly Window[]): Result<void, WindowFault> {
  for (const window of windows) {
    const opening = readWindow(window);
    if (!opening.ok) return opening;
  }
  return ok(undefined);
}

type Opening = Schedule & { readonly durationMs: DurationMs };

function readWindow({ cron: text, timezone, durationMs }: Window): Result<Opening, WindowFault> {
  const cron = readCron(text);
  if (!cron.ok) return cron;
  if (!isZone(timezone)) {
    return err({
      code: "timezone-unknown",
      message: `There is no time zone ${timezone}.`,
      hint: "Name it as the IANA database does, such as `Europe/Berlin` or `UTC`.",
      context: { timezone },
    });
  }
  return ok({ cron: cron.value, timezone, durationMs });
}

/** One that could not be read opens nothing; it was refused when it was configured. */
const read = (windows: readonly Window[]): Opening[] =>
  windows.map(readWindow).flatMap((window) => (window.ok ? [window.value] : []));

function closesAt(windows: readonly Window[], now: EpochMs): EpochMs | null {
  const spans = read(windows).flatMap(({ durationMs, ...schedule }) =>
    duesIn(schedule, now - durationMs, now + AHEAD_MS).map((from) => ({ from, to: from + durationMs })),
  );
  let until = now;
  for (const { from, to } of spans.sort((a, b) => a.from - b.from)) {
    if (from > until) break;
    until = Math.max(until, to);
  }
  return until > now + AHEAD_MS ? null : until;
}

/** When one comes due next, and the zone of the one that does. */
export function nextOpening(windows: readonly Window[], now: EpochMs): NextOpening {
  const [first] = read(windows)
    .map((opening) => ({ at: nextDue(opening, now), timezone: opening.timezone }))
    .flatMap(({ at, timezone }) => (at === null ? [] : [{ at, timezone }]))
    .sort((a, b) => a.at - b.at);
  return { opensAt: first?.at ?? null, timezone: first?.timezone ?? null };
}

/** Names of the IANA database only: a bare offset knows no summer time, and is rarely what is meant. */
function isZone(timezone: string): boolean {
  if (!/^[A-Za-z]/.test(timezone)) return false;
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(timezone);
    return true;
  } catch {
    return false;
  }
}
