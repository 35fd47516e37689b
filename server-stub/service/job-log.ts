import type { LogLine } from "../../protocol/job.ts";
import type { JobId } from "../../protocol/names.ts";
import type { Change } from "../store/records.ts";
import type { Context } from "./context.ts";

/** What is kept of one job's log, and then no more: a hook that prints without end must not fill the disk. */
export const MAX_LOG = { lines: 10_000, characters: 4 * 1024 * 1024 };

/** The index that is wanted next of a log that is full: none that a node will ever have. */
export const LOG_FULL = 2 ** 31 - 1;

/** The last line of a full log, by which it is known to be one. */
const FULL_SAYS =
  "The log is longer than what is kept of one job (10,000 lines, 4 MiB). The rest is on the node only: agent logs.";

/** The index that is wanted next. */
export async function wantedNext(ctx: Context, jobId: JobId): Promise<number> {
  const size = await ctx.store.logSize(jobId);
  return (await isFull(ctx, jobId, size)) ? LOG_FULL : size.lines;
}

/**
 * Stores the lines that follow on what is there, and passes over those that are there already. A gap is left for
 * the node to fill: the answer is the index that is wanted next. The first line for which there is no room is replaced
 * by one that says so, and what comes after it is taken as had.
 */
export async function appendLog(ctx: Context, jobId: JobId, lines: readonly LogLine[]): Promise<number> {
  const size = await ctx.store.logSize(jobId);
  if (await isFull(ctx, jobId, size)) return LOG_FULL;
  let { lines: next, characters } = size;
  const fresh: LogLine[] = [];
  for (const line of [...lines].sort((a, b) => a.index - b.index)) {
    if (line.index !== next) continue;
    characters += line.text.length;
    next += 1;
    if (next === MAX_LOG.lines || characters > MAX_LOG.characters) {
      fresh.push({ index: line.index, at: ctx.wall(), source: "coordinator", step: null, text: FULL_SAYS });
      ctx.log.warn({ jobId, lines: next }, "the job's log is full, further lines are not kept");
      next = LOG_FULL;
      break;
    }
    fresh.push(line);
  }
  if (fresh.length === 0) return next;
  const change: Change = { kind: "log", jobId, lines: fresh };
  await ctx.store.apply([change]);
  return next;
}

async function isFull(
  ctx: Context,
  jobId: JobId,
  { lines, characters }: { readonly lines: number; readonly characters: number },
): Promise<boolean> {
  if (lines >= MAX_LOG.lines) return true;
  // The line that would not fit has at most 8,192 characters.
  if (characters < MAX_LOG.characters - 8192) return false;
  const [last] = await ctx.store.log(jobId, lines - 1, 1);
  return last?.source === "coordinator" && last.text === FULL_SAYS;
}
