import type { Clock, DurationMs, UptimeMs } from "../../protocol/time.ts";

/** Less is the slow correction of a clock that runs a little fast or slow. */
const JUMP_MS: DurationMs = 60_000;
/** How long a jump is news. */
const NEWS_MS: DurationMs = 600_000;

export type ClockWatch = {
  /** By how much the wall clock jumped last, if that was in the last ten minutes. To be asked often. */
  look(): DurationMs | null;
};

/** Notices when the wall clock is set: it and the steady clock do not go the same way between two looks. */
export function createClockWatch(clock: Clock): ClockWatch {
  let apart = clock.now() - clock.uptime();
  let jump: { readonly byMs: DurationMs; readonly at: UptimeMs } | null = null;
  return {
    look: () => {
      const uptime = clock.uptime();
      const byMs = clock.now() - uptime - apart;
      apart += byMs;
      if (Math.abs(byMs) >= JUMP_MS) jump = { byMs, at: uptime };
      if (jump !== null && uptime - jump.at > NEWS_MS) jump = null;
      return jump?.byMs ?? null;
    },
  };
}
