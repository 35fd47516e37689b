import { readFileSync } from "node:fs";
import type { Clock } from "../protocol/time.ts";

/** This machine's clocks. `/proc/uptime` runs through suspend, which Node's own monotonic clock does not. */
export const systemClock: Clock = {
  now: () => Date.now(),
  uptime: () => Math.round(Number.parseFloat(readFileSync("/proc/uptime", "latin1")) * 1000),
};
