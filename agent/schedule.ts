/**
 * Asking the coordinator by schedule: what brings an agent up to date even where no session can push.
 *
 * node-cron reads and judges the expression. When it is next is computed here, with `Date`, for all expressions but
 * those with L, W or #: node-cron asks `Intl` for the local time, which keeps 12 MB of an idle agent resident, a
 * sixth of all that it has (a test holds both to the same answers).
 */
import { createTask, parse } from "node-cron";
import type { Fault, Result } from "../protocol/result.ts";
import type { DurationMs, EpochMs } from "../protocol/time.ts";
import type { Log } from "./effects/log.ts";

export type PollStatus = {
  readonly enabled: boolean;
  readonly schedule: string;
  /** Wall clock; the random wait comes on top. */
  readonly nextAt: EpochMs | null;
  readonly lastAt: EpochMs | null;
  /** Why the last poll came to nothing. */
  readonly fault: Fault | null;
};

export type PollOptions = {
  readonly enabled: boolean;
  /** A cron expression that has been validated; local time. */
  readonly schedule: string;
  readonly jitterMs: DurationMs;
  /** Asks now; must not throw. */
  readonly poll: () => Promise<Result<void, Fault>>;
  readonly now: () => EpochMs;
  readonly random: () => number;
  readonly log: Log;
};

export type PollSchedule = { status(): PollStatus; stop(): void };

/** The wall clock may be set, and timers stand still while a machine sleeps: it is looked at so often. */
const LOOK_EVERY_MS: DurationMs = 60_000;

/** Polls by schedule, each time after a random wait, one poll at a time. Does nothing when it is not enabled. */
export function startPolling(options: PollOptions): PollSchedule {
  const { enabled, schedule, jitterMs, poll, now, random, log } = options;
  const nextAfter = enabled ? readSchedule(schedule) : () => null;
  let lastAt: EpochMs | null = null;
  let fault: Fault | null = null;
  let nextAt = nextAfter(now());
  let timer: NodeJS.Timeout | undefined;

  const wait = () => {
    if (nextAt === null) return;
    timer = setTimeout(look, Math.min(Math.max(0, nextAt - now()), LOOK_EVERY_MS)).unref();
  };
  const look = () => {
    if (nextAt === null || now() < nextAt) return wait();
    timer = setTimeout(() => void ask(), random() * jitterMs).unref();
  };
  const ask = async () => {
    lastAt = now();
    const polled = await poll();
    fault = polled.ok ? null : polled.error;
    if (fault !== null) log.warn({ code: fault.code }, `The poll came to nothing: ${fault.message}`);
    if (nextAt === null) return;
    nextAt = nextAfter(now());
    wait();
  };
  wait();
  return {
    status: () => ({ enabled, schedule, nextAt, lastAt, fault }),
    stop: () => {
      clearTimeout(timer);
      nextAt = null;
    },
  };
}

/** What answers when it is next, after an instant; null when never. */
export function readSchedule(schedule: string): (after: EpochMs) => EpochMs | null {
  const { second, minute, hour, dayOfMonth, month, dayOfWeek } = parse(schedule);
  const special = [...dayOfMonth, ...dayOfWeek].some((value) => typeof value === "string");
  if (special) {
    const task = createTask(schedule, () => undefined);
    return () => task.getNextRuns(1)[0]?.getTime() ?? null;
  }
  const times = { second: rising(second), minute: rising(minute), hour: rising(hour) };
  const isDay = (date: Date) =>
    month.includes(date.getMonth() + 1) &&
    dayOfMonth.includes(date.getDate()) &&
    dayOfWeek.includes(date.getDay());
  return (after) => {
    const from = new Date(after);
    for (let days = 0; days < MAX_DAYS; days++) {
      const date = new Date(from.getFullYear(), from.getMonth(), from.getDate() + days);
      const found = isDay(date) ? firstOf(date, times, after) : null;
      if (found !== null) return found;
    }
    return null;
  };
}

/** February 29 comes round in eight years at the latest. */
const MAX_DAYS = 8 * 366;

type Times = {
  readonly second: readonly number[];
  readonly minute: readonly number[];
  readonly hour: readonly number[];
};

/** The first time on a day that is later than `after`. A time that a change of clocks leaves out is none. */
function firstOf(date: Date, { second, minute, hour }: Times, after: EpochMs): EpochMs | null {
  for (const h of hour) {
    const endOfHour = new Date(date.getFullYear(), date.getMonth(), date.getDate(), h, 59, 59).getTime();
    if (endOfHour <= after) continue;
    for (const m of minute) {
      for (const s of second) {
        const at = new Date(date.getFullYear(), date.getMonth(), date.getDate(), h, m, s);
        if (at.getTime() > after && at.getHours() === h && at.getMinutes() === m) return at.getTime();
      }
    }
  }
  return null;
}

const rising = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
