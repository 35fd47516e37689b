/** Asking the coordinator by schedule: what brings an agent up to date even where no session can push. */
import { schedule } from "node-cron";
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
  /** A cron expression that has been validated. */
  readonly schedule: string;
  readonly jitterMs: DurationMs;
  /** Asks now; must not throw. */
  readonly poll: () => Promise<Result<void, Fault>>;
  readonly now: () => EpochMs;
  readonly log: Log;
};

export type PollSchedule = { status(): PollStatus; stop(): Promise<void> };

/** Polls by schedule, each time after a random wait, one poll at a time. Does nothing when it is not enabled. */
export function startPolling({
  enabled,
  schedule: when,
  jitterMs,
  poll,
  now,
  log,
}: PollOptions): PollSchedule {
  let lastAt: EpochMs | null = null;
  let fault: Fault | null = null;
  const run = async () => {
    lastAt = now();
    const polled = await poll();
    fault = polled.ok ? null : polled.error;
    if (fault !== null) log.warn({ code: fault.code }, `The poll came to nothing: ${fault.message}`);
  };
  const task = enabled
    ? schedule(when, run, {
        name: "poll",
        maxRandomDelay: jitterMs,
        noOverlap: true,
        suppressMissedWarning: true,
        unref: true,
        logger: {
          debug: () => undefined,
          info: (message) => log.debug({ source: "node-cron" }, message),
          warn: (message) => log.warn({ source: "node-cron" }, message),
          error: (error) => log.error({ source: "node-cron", cause: error }, "the schedule failed"),
        },
      })
    : null;
  return {
    status: () => ({
      enabled,
      schedule: when,
      nextAt: task?.getNextRun()?.getTime() ?? null,
      lastAt,
      fault,
    }),
    stop: async () => {
      await task?.destroy();
    },
  };
}
