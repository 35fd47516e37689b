/**
 * The one stream of events of a page. It is begun again where it was whenever it ends, by the id of the last event, so
 * that nothing is missed; the coordinator says `reset` when it cannot tell what happened meanwhile.
 *
 * Invariant: when nothing has come for longer than the coordinator is ever silent, the stream counts as lost, whatever
 * the connection says.
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { FleetEvent } from "../../../protocol/event.ts";
import type { Problem } from "../../../protocol/problem.ts";
import type { Client } from "../api/client.ts";
import { createEventParser } from "./event-parser.ts";

export type Live =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** What is shown may not be true any more, since then. */
  | { readonly kind: "stale"; readonly since: number; readonly why: string };

export type Stream = {
  readonly live: ReadonlySignal<Live>;
  start(): void;
  stop(): void;
  /**
   * Resolves once nothing can be missed any more: whoever reads something after it is told of every later change. It
   * does not wait for ever; then a reset follows when the stream does begin.
   */
  ready(): Promise<void>;
  /** Without waiting for the next try. */
  tryNow(): void;
};

/** Longest that a page waits for the stream before it shows what it can. */
const READY_WITHIN_MS = 2_000;
/** The coordinator gives a sign of life every 15 seconds. */
const SILENT_MS = 40_000;
const RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000, 15_000] as const;
/** A page that nobody sees lets go of its connection after that: a browser has only six of them for all its tabs. */
const HIDDEN_MS = 60_000;

export function createStream(parts: {
  readonly client: Client;
  /** The coordinator's time, by which everything on the page is told. */
  readonly now: () => number;
  readonly event: (event: FleetEvent) => void;
  readonly reset: () => void;
  readonly signedOut: (why: Problem) => void;
}): Stream {
  const live = signal<Live>({ kind: "connecting" });
  let running: AbortController | null = null;
  let lastId: string | null = null;
  let heardAt = parts.now();
  let tries = 0;
  let wake: () => void = () => undefined;
  let opened = Promise.withResolvers<void>();
  /** Somebody has read something before the stream began. */
  let readBefore = false;

  const lost = (why: string): void => {
    if (live.value.kind !== "stale") live.value = { kind: "stale", since: heardAt, why };
  };

  const once = async (signalOfAll: AbortSignal): Promise<"again" | "over"> => {
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), SILENT_MS);
    const here = AbortSignal.any([signalOfAll, silence.signal]);
    try {
      const answer = await parts.client.stream(
        "/v1/events",
        lastId === null ? {} : { "last-event-id": lastId },
        here,
      );
      if (answer.status === 401 || answer.status === 403) {
        parts.signedOut((await answer.json()) as Problem);
        return "over";
      }
      if (!answer.ok || answer.body === null) {
        lost(`it answers ${answer.status}`);
        return "again";
      }
      const parser = createEventParser();
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENT_MS);
        heardAt = parts.now();
        tries = 0;
        if (live.value.kind !== "live") live.value = { kind: "live" };
        for (const { name, data } of parser.push(piece.value)) {
          if (name === "reset") parts.reset();
          else parts.event(JSON.parse(data) as FleetEvent);
        }
        if (lastId === null && parser.lastId !== null) {
          opened.resolve();
          if (readBefore) parts.reset();
        }
        lastId = parser.lastId ?? lastId;
      }
      lost("the connection ended");
      return "again";
    } catch (error) {
      if (signalOfAll.aborted) return "over";
      lost(silence.signal.aborted ? "nothing has come for a while" : "it cannot be reached");
      if (!(error instanceof DOMException || error instanceof TypeError)) throw error;
      return "again";
    } finally {
      clearTimeout(timer);
    }
  };

  const pause = (ms: number, over: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
      over.addEventListener("abort", () => wake(), { once: true });
    });

  const run = async (over: AbortSignal): Promise<void> => {
    while (!over.aborted && (await once(over)) === "again") {
      const ms = RETRY_MS[Math.min(tries, RETRY_MS.length - 1)] ?? 15_000;
      tries += 1;
      await pause(ms, over);
    }
  };

  const start = (): void => {
    if (running !== null) return;
    running = new AbortController();
    void run(running.signal);
  };
  const stop = (): void => {
    running?.abort();
    running = null;
    live.value = { kind: "connecting" };
  };
  let wanted = false;
  let hidden: ReturnType<typeof setTimeout> | undefined;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hidden);
    if (!wanted) return;
    if (document.visibilityState === "hidden") hidden = setTimeout(stop, HIDDEN_MS);
    else start();
  });
  window.addEventListener("online", () => wake());
  return {
    live,
    start: () => {
      wanted = true;
      start();
    },
    stop: () => {
      wanted = false;
      stop();
      lastId = null;
      readBefore = false;
      opened = Promise.withResolvers<void>();
    },
    async ready() {
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(() => {
        readBefore = readBefore || lastId === null;
        late.resolve();
      }, READY_WITHIN_MS);
      await Promise.race([opened.promise, late.promise]);
      clearTimeout(timer);
    },
    tryNow: () => {
      tries = 0;
      wake();
    },
  };
}
