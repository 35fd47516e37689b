import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** The lab's own number of a process that a node counts as `inner`; the leader tells which node is meant. */
export function pidOutside(leader: number, inner: number): number {
  const namespace = readlinkSync(`/proc/${leader}/ns/pid`);
  for (const name of readdirSync("/proc")) {
    if (/^\d+$/.test(name) && numberInside(name, namespace) === inner) return Number(name);
  }
  throw new Error(`The node has no process ${inner}.`);
}

function numberInside(pid: string, namespace: string): number | undefined {
  try {
    if (readlinkSync(`/proc/${pid}/ns/pid`) !== namespace) return undefined;
    const line = /^NSpid:.*\s(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return line?.[1] === undefined ? undefined : Number(line[1]);
  } catch (error) {
    // It ended while it was looked at.
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH"))
      return undefined;
    throw error;
  }
}
