/**
 * Which lines of which job's log the coordinator wants next. Pure.
 *
 * Within one session what was sent arrives or the session ends, so lines are sent once; `logNext` of the orders is
 * the truth when a session begins, and again when it stands still behind what was sent. A line that arrives twice
 * is the same line, so sending too much does no harm and sending too little is mended by the next orders.
 */
import { MAX_FRAME_BYTES, type Orders } from "../../protocol/frames.ts";
import type { LogLine } from "../../protocol/job.ts";
import type { JobId } from "../../protocol/names.ts";

/** `sent`: the index to send next. `wanted`: what the last orders asked for, and in how many orders unchanged. */
export type Cursor = { readonly sent: number; readonly wanted: number; readonly unchanged: number };
export type Cursors = ReadonlyMap<JobId, Cursor>;

/** After so many orders that ask for the same line, what was sent behind it is taken as lost. */
const LOST_AFTER = 3;

/** The cursors after orders. Jobs that the orders do not name any more are forgotten, but for the one at work. */
export function cursorsAfter(cursors: Cursors, logNext: Orders["logNext"], working: JobId | null): Cursors {
  const next = new Map<JobId, Cursor>();
  if (working !== null) next.set(working, cursors.get(working) ?? { sent: 0, wanted: 0, unchanged: 0 });
  for (const { jobId, index } of logNext) {
    const before = cursors.get(jobId);
    const unchanged = before !== undefined && before.wanted === index ? before.unchanged + 1 : 0;
    const lost = before === undefined || (unchanged >= LOST_AFTER && before.sent > index);
    next.set(jobId, {
      sent: lost ? index : Math.max(before.sent, index),
      wanted: index,
      unchanged: lost ? 0 : unchanged,
    });
  }
  return next;
}

/** The cursors after lines were sent. */
export function cursorsSent(cursors: Cursors, jobId: JobId, lines: readonly LogLine[]): Cursors {
  const last = lines.at(-1);
  const before = cursors.get(jobId);
  if (last === undefined || before === undefined) return cursors;
  return new Map(cursors).set(jobId, { ...before, sent: Math.max(before.sent, last.index + 1) });
}

export const MAX_LOG_LINES = 100;
const MAX_LOG_BYTES = MAX_FRAME_BYTES / 2;

/** The first of `lines` that fit into one frame; at least one if there is one. */
export function fitIntoFrame(lines: readonly LogLine[]): readonly LogLine[] {
  let bytes = 0;
  let count = 0;
  for (const line of lines.slice(0, MAX_LOG_LINES)) {
    bytes += Buffer.byteLength(JSON.stringify(line)) + 1;
    if (count > 0 && bytes > MAX_LOG_BYTES) break;
    count += 1;
  }
  return lines.slice(0, count);
}
