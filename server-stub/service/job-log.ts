import type { LogLine } from "../../protocol/job.ts";
import type { JobId } from "../../protocol/names.ts";
import type { Change } from "../store/records.ts";
import type { Context } from "./context.ts";

/**
 * Stores the lines that follow on what is there, and passes over those that are there already. A gap is left for
 * the node to fill: the answer is the index that is wanted next.
 */
export async function appendLog(ctx: Context, jobId: JobId, lines: readonly LogLine[]): Promise<number> {
  let next = await ctx.store.logLength(jobId);
  const fresh: LogLine[] = [];
  for (const line of [...lines].sort((a, b) => a.index - b.index)) {
    if (line.index !== next) continue;
    fresh.push(line);
    next += 1;
  }
  if (fresh.length === 0) return next;
  const change: Change = { kind: "log", jobId, lines: fresh };
  await ctx.store.apply([change]);
  return next;
}
