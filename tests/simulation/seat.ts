/**
 * An advisory lock as a database server has it: it ends with the connection, which ends with its machine, or when the
 * server has heard nothing over it for too long. It may be wrong: whoever has lost it learns so by asking, and for a
 * while more than one may be told that it is theirs.
 */
import type { SeatLock } from "../../server-stub/service/replica.ts";
import type { Client, Database } from "./database.ts";
import type { Time } from "./time.ts";

/** How long the server waits for who says nothing any more. */
const SILENT_MS = 2_500;
/** How long an answer is waited for. */
const ASK_MS = 1_500;

type Holder = { heardAt: number };

export class Seat {
  /** Everybody who asks is told that it is theirs. */
  isSplit = false;
  readonly #time: Time;
  readonly #database: Database;
  #holder: Holder | null = null;

  constructor(time: Time, database: Database) {
    this.#time = time;
    this.#database = database;
  }

  /** The server has ended the connection; whoever had the lock has not heard of it. */
  free(): void {
    this.#holder = null;
  }

  lockOf(client: Client): SeatLock {
    const { name, random, wait } = client;
    const self: Holder = { heardAt: 0 };
    return {
      take: async () => {
        if (this.#database.isCut(name)) {
          await wait(ASK_MS);
          return false;
        }
        self.heardAt = this.#time.now;
        if (this.#holder === null || this.isSplit || this.#isGone(this.#holder)) this.#holder = self;
        const isOurs = this.#holder === self;
        const { maxLatencyMs } = this.#database.weather;
        if (maxLatencyMs > 10) await wait(random.next() * maxLatencyMs);
        return isOurs;
      },
      release: () => {
        if (this.#holder === self) this.#holder = null;
        return Promise.resolve();
      },
    };
  }

  #isGone({ heardAt }: Holder): boolean {
    return this.#time.now - heardAt > SILENT_MS;
  }
}
