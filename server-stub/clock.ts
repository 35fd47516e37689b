import { openSync, readSync } from "node:fs";
import type { Clock } from "../protocol/time.ts";

/** This machine's clocks. `/proc/uptime` runs through suspend, which Node's own monotonic clock does not. */
export const systemClock: Clock = {
  now: () => Date.now(),
  uptime: () => {
    uptimeFile ??= openSync("/proc/uptime", "r");
    const bytes = readSync(uptimeFile, text, 0, text.length, 0);
    return Math.round(Number.parseFloat(text.toString("latin1", 0, bytes)) * 1000);
  },
};

/** Kept open: every message of a node asks for the time several times. */
let uptimeFile: number | undefined;
const text = Buffer.alloc(64);
