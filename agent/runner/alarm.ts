import type { Clock, UptimeMs } from "../../protocol/time.ts";
import type { Machine } from "../core/machine/transition.ts";
import { wakeAt } from "../core/machine/wake.ts";
import type { Scheduler } from "../effects/scheduler.ts";

/** Rings when the time has come that the machine waits for, by uptime. */
export type Alarm = { set(machine: Machine): void; clear(): void };

/** Timers stand still while a machine sleeps, and uptime does not: so they are looked at again after so long. */
const AT_MOST_MS = 5_000;

export function createAlarm(clock: Clock, scheduler: Scheduler, ring: () => void): Alarm {
  let at: UptimeMs | null = null;
  let rung: UptimeMs | null = null;
  let cancel: () => void = () => undefined;

  const wait = (): void => {
    if (at === null) return;
    const leftMs = at - clock.uptime();
    cancel = scheduler.after(Math.min(Math.max(0, leftMs), AT_MOST_MS), due);
  };
  const due = (): void => {
    if (at === null) return;
    if (clock.uptime() < at) {
      wait();
      return;
    }
    // Once for each time: a state that cannot go on yet must not make the alarm ring without end.
    rung = at;
    at = null;
    ring();
  };

  return {
    set: (machine) => {
      const next = wakeAt(machine);
      if (next === at) return;
      cancel();
      at = next === rung ? null : next;
      if (next !== rung) rung = null;
      wait();
    },
    clear: () => {
      cancel();
      at = null;
    },
  };
}
