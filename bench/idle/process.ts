/** What the kernel says of a process. Source: proc(5). */
import { readFile } from "node:fs/promises";

/** Ticks of `/proc/PID/stat` a second, on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Resident memory, and the share of it that is not somebody else's too; null where the kernel does not tell. */
export async function memoryOf(pid: number): Promise<{ rssMb: number; pssMb: number | null }> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
  const pss = /^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1];
  const rss = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (rss === undefined) throw new Error(`process ${pid} has no memory to speak of`);
  return { rssMb: Number(rss) / 1024, pssMb: pss === undefined ? null : Number(pss) / 1024 };
}

/** CPU time used so far, its children's that have ended included. */
export async function cpuMsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // The name, in parentheses, may hold anything. utime, stime, cutime and cstime are fields 14 to 17.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return (1000 * ticks) / TICKS_PER_SECOND;
}
