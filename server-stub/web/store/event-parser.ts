/**
 * Reads server-sent events out of text that comes in pieces.
 * Source: WHATWG HTML, "Server-sent events" (interpretation).
 */
export type StreamEvent = {
  readonly name: string;
  readonly data: string;
};

export type EventParser = {
  /** What the coordinator is to be told when the stream begins again; null before there was one. */
  readonly lastId: string | null;
  /** Events that are whole with this piece. */
  push(text: string): readonly StreamEvent[];
};

export function createEventParser(): EventParser {
  let rest = "";
  let lastId: string | null = null;
  let id: string | null = null;
  let name = "";
  let data: string[] = [];
  const field = (line: string): void => {
    const colon = line.indexOf(":");
    const key = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (key === "data") data.push(value);
    else if (key === "event") name = value;
    else if (key === "id") id = value;
  };
  return {
    get lastId() {
      return lastId;
    },
    push(text) {
      const events: StreamEvent[] = [];
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line !== "") {
          field(line);
          continue;
        }
        lastId = id ?? lastId;
        if (data.length > 0) events.push({ name: name === "" ? "message" : name, data: data.join("\n") });
        name = "";
        data = [];
      }
      return events;
    },
  };
}
