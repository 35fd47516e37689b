/**
 * Writes a stream of events to a response, as server-sent events: at the reader's pace, never more than one piece
 * beyond what its socket takes, until one of the two ends.
 * Source: WHATWG HTML, "Server-sent events".
 */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { DurationMs } from "../../protocol/time.ts";
import type { EventStream, StreamItem } from "../service/events/stream.ts";

export const STREAM_TIMES = {
  /** Between two signs of life; each time it is also looked up whether the caller may still read. */
  aliveMs: 15_000,
  /** How long a reader that comes back is asked to wait. */
  retryMs: 2_000,
  /** How long a reader that takes nothing has for the last words. */
  lastWordsMs: 5_000,
} as const satisfies Record<string, DurationMs>;

/** Resolves when the stream is over. `mayGoOn` says whether its caller may still read. */
export async function writeEvents(
  response: ServerResponse,
  stream: EventStream,
  mayGoOn: () => Promise<boolean>,
  { aliveMs, retryMs, lastWordsMs }: Record<keyof typeof STREAM_TIMES, DurationMs> = STREAM_TIMES,
): Promise<void> {
  const check = async (): Promise<void> => {
    if (!(await mayGoOn())) stream.close();
  };
  const alive = setInterval(() => {
    // Who takes nothing needs no sign of life; not to get one ends its connection.
    if (!response.writableNeedDrain) response.write(idLine(stream.position));
    check().catch(() => stream.close());
  }, aliveMs);
  response.on("close", () => stream.close());
  try {
    response.write(`retry: ${retryMs}\n${idLine(stream.position)}`);
    for (let item = await stream.next(); item !== null; item = await stream.next()) {
      if (item.kind === "check") await check();
      else await write(response, textOf(item), stream.signal);
    }
  } finally {
    clearInterval(alive);
    response.end();
    const cut = setTimeout(() => response.destroy(), lastWordsMs);
    response.on("close", () => clearTimeout(cut));
  }
}

/** A block without data: nothing happens at the reader but that it knows where it is. */
const idLine = (id: string): string => `: alive\nid: ${id}\n\n`;

const textOf = (item: Exclude<StreamItem, { kind: "check" }>): string =>
  item.kind === "event"
    ? `${item.id === null ? "" : `id: ${item.id}\n`}data: ${item.json}\n\n`
    : `event: reset\nid: ${item.id}\ndata: ${JSON.stringify({ reason: item.reason })}\n\n`;

/** Waits until there is room for more, or nobody is there to take it. */
async function write(response: ServerResponse, text: string, ended: AbortSignal): Promise<void> {
  if (response.write(text) || ended.aborted || response.destroyed) return;
  const over = new AbortController();
  const stop = (): void => over.abort();
  ended.addEventListener("abort", stop, { once: true });
  response.once("close", stop);
  try {
    await once(response, "drain", { signal: over.signal });
  } catch (error) {
    if (!over.signal.aborted) throw error;
  } finally {
    ended.removeEventListener("abort", stop);
    response.off("close", stop);
  }
}
