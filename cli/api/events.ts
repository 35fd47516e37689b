/**
 * Server-sent events: text that arrives in pieces, as the events that it carries.
 * Source: WHATWG HTML, "Server-sent events", interpreting an event stream.
 */
import { FleetEvent } from "../../protocol/event.ts";
import { err, ok, type Result } from "../../protocol/result.ts";
import { Value } from "../../protocol/schema.ts";
import { type ApiClient, type ApiFault, query } from "./client.ts";

/** `event` is "message" unless the sender named it; `id` is the last one given. */
export type ServerEvent = { readonly event: string; readonly id: string; readonly data: string };

export async function* readEvents(chunks: AsyncIterable<string>): AsyncGenerator<ServerEvent> {
  let id = "";
  let event = "";
  let data: string[] = [];
  for await (const line of linesOf(chunks)) {
    if (line === "") {
      if (data.length > 0) yield { event: event || "message", id, data: data.join("\n") };
      event = "";
      data = [];
      continue;
    }
    const [, field = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === "data") data.push(value);
    else if (field === "event") event = value;
    else if (field === "id" && !value.includes("\0")) id = value;
  }
}

/** What was begun and not ended when the connection broke is no line. */
async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of chunks) {
    rest += chunk;
    // A carriage return at the very end may be half of a line end.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

/**
 * What is new in the fleet, or that there is a gap: everything has to be read anew. `position` is where to go on from,
 * and means something to the coordinator alone.
 */
export type FleetNews = { readonly position: string } & (
  | { readonly kind: "event"; readonly event: FleetEvent }
  | { readonly kind: "reset" }
);

/** The fleet's events from now on, or from the position `since`. Reading on throws when the connection breaks. */
export async function fleetEvents(
  api: ApiClient,
  { since, kinds, signal }: { since?: string | undefined; kinds?: string | undefined; signal: AbortSignal },
): Promise<Result<AsyncIterable<FleetNews>, ApiFault>> {
  const headers = {
    accept: "text/event-stream",
    ...(since === undefined ? {} : { "last-event-id": since }),
  };
  const opened = await api.stream(`/v1/events${query({ kinds })}`, headers, signal);
  return opened.ok ? ok(newsOf(opened.value)) : err(opened.error);
}

async function* newsOf(chunks: AsyncIterable<string>): AsyncGenerator<FleetNews> {
  for await (const { event, data, id } of readEvents(chunks)) {
    if (event === "reset") yield { kind: "reset", position: id };
    else {
      const value = eventOf(data);
      if (value !== null) yield { kind: "event", position: id, event: value };
    }
  }
}

/** Null for what this command does not know: the coordinator may be newer. */
function eventOf(data: string): FleetEvent | null {
  try {
    const value: unknown = JSON.parse(data);
    return Value.Check(FleetEvent, value) ? value : null;
  } catch {
    return null;
  }
}
