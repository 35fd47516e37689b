import type { FleetEvent } from "../../protocol/event.ts";
import type { Coordinator, Principal } from "../../server-stub/service/coordinator.ts";
import { OPERATOR } from "../simulation/coordinator.ts";
import { must } from "../simulation/world.ts";

/** What a reader of `GET /v1/events` was told, in order. */
export class Followed {
  readonly events: FleetEvent[] = [];
  readonly resets: string[] = [];
  /** How often it had to look up whether it may still read. */
  checks = 0;
  isOver = false;
  #position = "";
  readonly #close: () => void;

  static async open(
    baton: Coordinator,
    after: string | null = null,
    by: Principal = OPERATOR,
  ): Promise<Followed> {
    const stream = must(await baton.events.open(by, { after, kinds: null }));
    const followed = new Followed(() => stream.close());
    followed.#position = stream.position;
    const read = async (): Promise<void> => {
      for (let item = await stream.next(); item !== null; item = await stream.next()) {
        if (item.kind === "event") followed.events.push(JSON.parse(item.json) as FleetEvent);
        else if (item.kind === "reset") followed.resets.push(item.reason);
        else followed.checks += 1;
        if (item.kind !== "check") followed.#position = item.id ?? followed.#position;
      }
      followed.isOver = true;
    };
    read().catch((cause: unknown) => followed.resets.push(`failed: ${String(cause)}`));
    return followed;
  }

  private constructor(close: () => void) {
    this.#close = close;
  }

  /** What a browser says as `Last-Event-ID` when it comes back. */
  get position(): string {
    return this.#position;
  }

  close(): void {
    this.#close();
  }

  /** Values of one subject, without those that say what the one before said. */
  of<T>(kind: FleetEvent["kind"], subject: string, pick: (value: never) => T): readonly T[] {
    const all = this.events
      .filter((event) => event.kind === kind && event.subject === subject && event.value !== null)
      .map((event) => pick(event.value as never));
    return all.filter((value, at) => at === 0 || JSON.stringify(value) !== JSON.stringify(all[at - 1]));
  }
}
