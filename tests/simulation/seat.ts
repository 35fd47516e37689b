/** An advisory lock as a database server has it: it ends with the connection, which ends with its machine. */
import type { SeatLock } from "../../server-stub/service/replica.ts";
import type { MachineClock } from "./clock.ts";
import type { Time } from "./time.ts";

/** How long the server waits for a machine that says nothing any more. */
const SILENT_MS = 3_000;

export class Seat {
  readonly #time: Time;
  #holder: { readonly clock: () => MachineClock; heardAt: number } | null = null;

  constructor(time: Time) {
    this.#time = time;
  }

  lockOf(clock: () => MachineClock): SeatLock {
    const self = { clock, heardAt: 0 };
    return {
      take: () => {
        self.heardAt = this.#time.now;
        const holder = this.#holder;
        const isSilent = holder !== null && this.#time.now - holder.heardAt > SILENT_MS;
        if (holder === null || (holder !== self && isSilent && holder.clock().isAsleep)) this.#holder = self;
        return Promise.resolve(this.#holder === self);
      },
      release: () => {
        if (this.#holder === self) this.#holder = null;
        return Promise.resolve();
      },
    };
  }
}
