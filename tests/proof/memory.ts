/** How much memory this process and all that it has started hold, sampled while they work. */
import { readdirSync, readFileSync } from "node:fs";

const EVERY_MS = 500;

export type MemoryWatch = {
  /** The most that was seen since the last `peak()`, in bytes. */
  peak(): number;
  stop(): void;
};

export function watchMemory(): MemoryWatch {
  let most = 0;
  const sample = () => {
    most = Math.max(most, heldBytes(process.pid));
  };
  const timer = setInterval(sample, EVERY_MS);
  timer.unref();
  return {
    peak: () => {
      sample();
      const peak = most;
      most = 0;
      return peak;
    },
    stop: () => clearInterval(timer),
  };
}

/** The resident memory of a process and its descendants. Pages that several share count for each: it errs upwards. */
export function heldBytes(root: number): number {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = statusOf(Number(name), "PPid");
    if (parent !== null) parents.set(Number(name), parent);
  }
  const isOurs = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at))
      if (at === root) return true;
    return false;
  };
  const kilobytes = [...parents.keys()].filter(isOurs).map((pid) => statusOf(pid, "VmRSS") ?? 0);
  return kilobytes.reduce((sum, each) => sum + each, 0) * 1024;
}

/** A number in a process's status; null when it is gone. */
function statusOf(pid: number, field: "PPid" | "VmRSS"): number | null {
  try {
    const text = readFileSync(`/proc/${pid}/status`, "utf8");
    const [, value] = new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(text) ?? [];
    return value === undefined ? null : Number(value);
  } catch {
    // It ended between the listing and the look.
    return null;
  }
}
