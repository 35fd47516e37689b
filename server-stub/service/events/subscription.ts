import type { EventKind } from "../../../protocol/event.ts";
import type { NodeId } from "../../../protocol/names.ts";
import { type EventRecord, lastOfEach } from "../../store/events.ts";
import type { Follower, Hub } from "./hub.ts";
import type { EventStream, StreamItem } from "./stream.ts";
import type { Views } from "./views.ts";

/** Events read at once; of those of one subject only the last is told. */
const PAGE = 500;
/** Who is further behind than this reads everything anew: that is less than what would be told. */
export const MAX_BEHIND = 10_000;

type Waiting = Omit<EventRecord, "id"> & { readonly id: number | null };

/** One reader's place in the events: replays from where it was, then follows, at its own pace. */
export class Subscription implements Follower, EventStream {
  readonly #hub: Hub;
  readonly #views: Views;
  readonly #epoch: number;
  readonly #wants: (kind: EventKind) => boolean;
  /** Subject of the events of its own token. */
  readonly #tokenId: string;
  /** The last event that was read for it, and the last that it was told of, or would have been. */
  #cursor: number;
  #position: number;
  /** What was given out last: told when the next is asked for. */
  #given: number | null = null;
  #waiting: Waiting[] = [];
  #live = new Map<NodeId, number>();
  #reset: string | null = null;
  #mustCheck = false;
  #wake: (() => void) | null = null;
  readonly #ending = new AbortController();

  constructor(options: {
    readonly hub: Hub;
    readonly views: Views;
    readonly epoch: number;
    readonly kinds: ReadonlySet<EventKind> | null;
    readonly tokenId: string;
    readonly after: number;
  }) {
    const { hub, views, epoch, kinds, tokenId, after } = options;
    this.#hub = hub;
    this.#views = views;
    this.#epoch = epoch;
    this.#wants = (kind) => kinds === null || kinds.has(kind);
    this.#tokenId = tokenId;
    this.#cursor = after;
    this.#position = after;
  }

  get position(): string {
    return `${this.#epoch}-${this.#position}`;
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Goes on at the end of the events, after saying that what came before is missing. */
  begin(at: number, missing: string | null): void {
    this.#cursor = at;
    this.#position = at;
    this.#given = null;
    this.#reset = missing;
  }

  news(records: readonly EventRecord[], head: number): void {
    if (records.some(({ kind, subject }) => kind === "token" && subject === this.#tokenId))
      this.#mustCheck = true;
    if (head - this.#cursor > MAX_BEHIND) {
      this.begin(head, "Reading was so slow that too much has happened since.");
      this.#waiting = [];
      this.#ending.abort();
    }
    this.#awake();
  }

  /** Something of a node that is not stored. */
  heard(nodeId: NodeId, at: number): void {
    if (!this.#wants("node")) return;
    this.#live.set(nodeId, at);
    this.#awake();
  }

  /** No more is said, not even a reset. */
  close(): void {
    this.#reset = null;
    this.#ending.abort();
    this.#awake();
  }

  async next(): Promise<StreamItem | null> {
    if (this.#given !== null) this.#position = this.#given;
    this.#given = null;
    for (;;) {
      if (this.#reset !== null) {
        const reason = this.#reset;
        this.#reset = null;
        return { kind: "reset", id: this.position, reason };
      }
      if (this.#ending.signal.aborted) return null;
      if (this.#mustCheck) {
        this.#mustCheck = false;
        return { kind: "check" };
      }
      const event = this.#waiting.shift();
      if (event !== undefined) return this.#show(event);
      this.#position = this.#cursor;
      if (this.#cursor < this.#hub.head()) await this.#readOn();
      else if (this.#live.size > 0) this.#takeLive();
      else await this.#sleep();
    }
  }

  async #readOn(): Promise<void> {
    const records = await this.#hub.read(this.#cursor, PAGE);
    const last = records.at(-1);
    if (last === undefined || this.#ending.signal.aborted) return;
    this.#cursor = last.id;
    this.#waiting = lastOfEach(records.filter(({ kind }) => this.#wants(kind)));
    for (const { kind, subject } of this.#waiting) if (kind === "node") this.#live.delete(subject);
  }

  #takeLive(): void {
    this.#waiting = [...this.#live].map(([subject, at]) => ({ id: null, at, kind: "node", subject }));
    this.#live.clear();
  }

  async #show({ id, at, kind, subject }: Waiting): Promise<StreamItem> {
    const value = await this.#views.json(kind, subject);
    this.#given = id;
    // Of a node there has been an event, so that there is one before this.
    const shownId = id ?? Math.max(1, this.#position);
    const json = `{"id":${shownId},"at":${at},"kind":"${kind}","subject":${JSON.stringify(subject)},"value":${value}}`;
    return { kind: "event", id: id === null ? null : `${this.#epoch}-${id}`, json };
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #awake(): void {
    this.#wake?.();
    this.#wake = null;
  }
}
