/** What a page holds of a job's log: pure. */
import type { LogLine } from "../../../../protocol/job.ts";
import type { Problem } from "../../../../protocol/problem.ts";

/** Lines of one part of the log; parts that are full never change again. */
export const PART_LINES = 200;

export type JobLog = {
  readonly parts: readonly (readonly LogLine[])[];
  readonly lines: number;
  /** The job has ended, and this is all of it. */
  readonly whole: boolean;
  readonly problem: Problem | null;
};

export const NOTHING: JobLog = { parts: [], lines: 0, whole: false, problem: null };

/** With further lines: only the last part becomes another one. */
export function withLines(log: JobLog, lines: readonly LogLine[]): JobLog {
  const parts = [...log.parts];
  let rest = lines;
  while (rest.length > 0) {
    const last = parts.at(-1);
    const open = last !== undefined && last.length < PART_LINES ? last : null;
    const room = PART_LINES - (open?.length ?? 0);
    const part = [...(open ?? []), ...rest.slice(0, room)];
    if (open === null) parts.push(part);
    else parts[parts.length - 1] = part;
    rest = rest.slice(room);
  }
  return { parts, lines: log.lines + lines.length, whole: log.whole, problem: null };
}
