/**
 * What a coordinator without the seat asks the one that has it for itself: what events tell of and only the seat knows
 * (who is online, how far a node is), and whether it answers at all. Only who names the claim gets here.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { DurationMs } from "../../protocol/time.ts";
import type { Coordinator } from "../service/coordinator.ts";
import { askForItself, type Way } from "./hand-on.ts";

/** Below it are no routes of the API. */
const ROOT = "/-/";
const HERE = `${ROOT}here`;
const SHOWS = `${ROOT}shows`;
const NEWS = `${ROOT}news`;

export const isInside = (request: IncomingMessage): boolean => request.url?.startsWith(ROOT) === true;

/** News of nodes that are gathered before they are sent. */
const GATHER_MS: DurationMs = 200;
/** An empty line now and then, so that who listens knows that the connection lives. */
const ALIVE_MS: DurationMs = 2_000;

type Source = {
  readonly shows: Coordinator["shows"];
  /** Calls for each node of which something was heard that is not stored, until the returned function is called. */
  readonly onHeard: (listener: (nodeId: string) => void) => () => void;
  /** This coordinator stops: whoever follows goes elsewhere. */
  readonly leaving: AbortSignal;
};

/** Answers another coordinator. */
export async function answerInside(
  source: Source,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://inside");
  if (pathname === HERE) return void response.writeHead(204).end();
  if (pathname === NEWS) return tellNews(source, response);
  const kind = searchParams.get("kind") ?? "";
  const read = Object.hasOwn(source.shows, kind)
    ? source.shows[kind as keyof Coordinator["shows"]]
    : undefined;
  if (pathname !== SHOWS || read === undefined) return void response.writeHead(404).end();
  const value = await read(searchParams.get("subject") ?? "");
  response
    .writeHead(200, { "content-type": "application/json" })
    .end(JSON.stringify({ value: value ?? null }));
}

function tellNews({ onHeard, leaving }: Source, response: ServerResponse): void {
  const waiting = new Set<string>();
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  response.flushHeaders();
  const off = onHeard((nodeId) => waiting.add(nodeId));
  let saidAt = performance.now();
  const timer = setInterval(() => {
    if (response.writableNeedDrain || (waiting.size === 0 && performance.now() - saidAt < ALIVE_MS)) return;
    response.write(`${JSON.stringify([...waiting])}\n`);
    waiting.clear();
    saidAt = performance.now();
  }, GATHER_MS);
  const leave = (): void => void response.end();
  leaving.addEventListener("abort", leave, { once: true });
  response.on("close", () => {
    leaving.removeEventListener("abort", leave);
    off();
    clearInterval(timer);
  });
}

/** How long the seat has to answer. */
const ANSWER_MS: DurationMs = 2_000;
const MAX_BYTES = 8 * 1_048_576;

/** Whether the seat answers. */
export const isThere = async (way: Way): Promise<boolean> => (await ask(way, HERE)) !== null;

/** What the seat shows of a subject; null when it does not answer. */
export async function showsThere(
  way: Way,
  kind: string,
  subject: string,
): Promise<{ value: unknown } | null> {
  const text = await ask(way, `${SHOWS}?${new URLSearchParams({ kind, subject }).toString()}`);
  return text === null || text === "" ? null : (JSON.parse(text) as { value: unknown });
}

/** Hears of nodes from the seat until it ends, or the returned function is called. */
export function followNews(way: Way, heard: (nodeId: string) => void, ended: () => void): () => void {
  const asked = askForItself(way, NEWS, 3 * ALIVE_MS);
  let rest = "";
  asked.on("response", (answer: IncomingMessage) => {
    answer.setEncoding("utf8");
    answer.on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) for (const nodeId of JSON.parse(line) as string[]) heard(nodeId);
    });
    answer.on("error", () => undefined);
  });
  asked.on("error", () => undefined);
  asked.on("close", ended);
  asked.end();
  return () => void asked.destroy();
}

function ask(way: Way, path: string): Promise<string | null> {
  return new Promise((resolve) => {
    const asked = askForItself(way, path, ANSWER_MS);
    const late = setTimeout(() => asked.destroy(), ANSWER_MS);
    let text = "";
    let isWhole = false;
    asked.on("response", (answer: IncomingMessage) => {
      answer.setEncoding("utf8");
      answer.on("data", (part: string) => {
        text += part;
        if (text.length > MAX_BYTES) asked.destroy();
      });
      answer.on("end", () => {
        isWhole = answer.statusCode === 200 || answer.statusCode === 204;
      });
      answer.on("error", () => undefined);
    });
    asked.on("error", () => undefined);
    asked.on("close", () => {
      clearTimeout(late);
      resolve(isWhole ? text : null);
    });
    asked.end();
  });
}
