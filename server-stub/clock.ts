import { openSync, readSync } from "node:fs";
import type { Clock } from "../protocol/time.ts";

/** This machine's clocks. `/proc/uptime` runs through suspend, which Node's own monotonic clock does not. */
export const systemClock: Clock = {
  now: () => Date.now(),
  uptime: () => {
    last = Math.max(last, Math.round(fromLastReading() ?? readAnew()));
    return last;
  },
};

/**
 * To ask the kernel takes longer than to answer a heartbeat, and every heartbeat asks several times. So a reading is
 * carried on by the monotonic clock, for a second, and not through a suspend: the wall clock then runs ahead of it.
 */
const CARRIED_ON_MS = 1_000;
const APART_MS = 20;

let reading = { uptime: 0, monotonic: Number.NEGATIVE_INFINITY, wall: 0 };
let last = 0;

/** Null where it is to be read anew. */
function fromLastReading(): number | null {
  const since = performance.now() - reading.monotonic;
  if (since >= CARRIED_ON_MS) return null;
  const apart = Date.now() - reading.wall - since;
  return Math.abs(apart) < APART_MS ? reading.uptime + since : null;
}

function readAnew(): number {
  const [monotonic, wall] = [performance.now(), Date.now()];
  uptimeFile ??= openSync("/proc/uptime", "r");
  const bytes = readSync(uptimeFile, text, 0, text.length, 0);
  const uptime = Number.parseFloat(text.toString("latin1", 0, bytes)) * 1000;
  reading = { uptime, monotonic, wall };
  return uptime;
}

let uptimeFile: number | undefined;
const text = Buffer.alloc(64);
