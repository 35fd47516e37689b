import { readFileSync } from "node:fs";
import type { Clock } from "../../protocol/time.ts";

/**
 * The clocks of this machine. `uptime` reads `/proc/uptime`, which runs through suspend: `process.hrtime` and
 * `performance.now` stand still while a machine sleeps, and a lease does not.
 * Source: proc_uptime(5), clock_gettime(2) CLOCK_BOOTTIME.
 */
export const realClock: Clock = {
  now: () => Date.now(),
  uptime: () => Math.round(Number.parseFloat(readFileSync("/proc/uptime", "utf8")) * 1000),
};
