/** Reads `GET /v1/events` as a browser would, one block after the other, over a connection of its own. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { FleetEvent } from "../../../protocol/event.ts";
import { Value } from "../../../protocol/schema.ts";

/** What came between two empty lines; a block without data only says where the reader is. */
export type Block = { readonly event: string; readonly id: string | null; readonly data: string | null };

export class EventReader {
  readonly response: IncomingMessage;
  /** As an `EventSource` keeps it. */
  lastEventId = "";
  readonly #blocks: AsyncGenerator<Block>;

  private constructor(response: IncomingMessage) {
    this.response = response;
    this.#blocks = blocksOf(response);
  }

  static async open(
    url: string,
    { token, after, query = "" }: { token?: string; after?: string; query?: string },
  ): Promise<EventReader> {
    const headers = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(after === undefined ? {} : { "last-event-id": after }),
    };
    const asked = request(`${url}/v1/events${query}`, { headers, agent: false }).end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    return new EventReader(response);
  }

  /** The next block of any kind; null at the end. Throws when the connection breaks. */
  async block(): Promise<Block | null> {
    const { value, done } = await this.#blocks.next();
    if (done === true) return null;
    if (value.id !== null) this.lastEventId = value.id;
    return value;
  }

  /** The next block with data. */
  async said(): Promise<Block | null> {
    for (let block = await this.block(); block !== null; block = await this.block()) {
      if (block.data !== null) return block;
    }
    return null;
  }

  /** The next event. Throws for anything else, and for one that is not as its schema has it. */
  async next(): Promise<FleetEvent & { readonly value: never }> {
    const block = await this.said();
    const event: unknown = block?.data == null ? null : JSON.parse(block.data);
    if (block?.event !== "message" || !Value.Check(FleetEvent, event))
      throw new Error(`no event but ${JSON.stringify(block)}`);
    return event as FleetEvent & { value: never };
  }

  /** The next event of that kind. */
  async nextOf(kind: FleetEvent["kind"]): Promise<FleetEvent & { readonly value: never }> {
    for (;;) {
      const event = await this.next();
      if (event.kind === kind) return event;
    }
  }

  /** When there is nothing more; the data that came before it. */
  async end(): Promise<string[]> {
    const left: string[] = [];
    for (let block = await this.said(); block !== null; block = await this.said())
      left.push(block.data ?? "");
    return left;
  }

  close(): void {
    this.response.destroy();
  }
}

async function* blocksOf(response: IncomingMessage): AsyncGenerator<Block> {
  response.setEncoding("utf8");
  let text = "";
  for await (const part of response as AsyncIterable<string>) {
    text += part;
    for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n")) {
      yield blockOf(text.slice(0, end).split("\n"));
      text = text.slice(end + 2);
    }
  }
}

function blockOf(lines: readonly string[]): Block {
  const field = (name: string): string | null =>
    lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? null;
  return { event: field("event") ?? "message", id: field("id"), data: field("data") };
}
