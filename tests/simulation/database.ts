/**
 * A database server that several coordinators share, and the way to it: one writes at a time, each write leaves its
 * receipt, and a connection may break before, in and after a commit. What a process makes of that is the product's own
 * (`server-stub/store/postgres/write-once.ts`).
 */
import { ConnectionLost } from "../../server-stub/store/postgres/faults.ts";
import type { Asking } from "../../server-stub/store/postgres/write-once.ts";
import type { Random } from "./random.ts";
import type { Time } from "./time.ts";

/** Of each write. */
export type StoreWeather = {
  /** That it never arrives, that its reply does not, that it arrives after its sender has given it up. */
  readonly lost: number;
  readonly unanswered: number;
  readonly late: number;
  readonly maxLatencyMs: number;
};

export const CALM: StoreWeather = { lost: 0, unanswered: 0, late: 0, maxLatencyMs: 2 };

/** The server ends a transaction that stands still for so long. */
const STANDSTILL_MS = 2_000;
/** So long a server is looked for, and an answer waited for. */
const REACH_MS = 8_000;
const SILENCE_MS = 6_000;
const LOOK_EVERY_MS = 250;
/** In a storm. */
const SLOW_READS = 0.3;

type Fate = "fine" | "lost" | "unanswered" | "late";

/** One machine's connections. */
export type Client = {
  readonly name: string;
  readonly random: Random;
  /** Ends only while its process lives and its machine is awake. */
  readonly wait: (ms: number) => Promise<void>;
  readonly isAwake: () => boolean;
};

export class Database {
  weather: StoreWeather = CALM;
  readonly #time: Time;
  readonly #count: (what: string) => void;
  readonly #cuts = new Set<string>();
  readonly #receipts = new Set<string>();
  #writing: Promise<void> = Promise.resolve();
  #generation = 0;

  constructor(time: Time, count: (what: string) => void) {
    this.#time = time;
    this.#count = count;
  }

  cut(name: string): void {
    this.#cuts.add(name);
  }

  heal(name: string): void {
    this.#cuts.delete(name);
  }

  healAll(): void {
    this.#cuts.clear();
    this.weather = CALM;
  }

  /** A backup takes its place: what was on its way to it never arrives. */
  replaced(): void {
    this.#generation += 1;
    this.#receipts.clear();
  }

  /** Nothing gets from that machine to the server, and nothing back. */
  isCut(name: string): boolean {
    return this.#cuts.has(name) || this.#cuts.has("*");
  }

  /** One write that is asked for; `execute` is when the server does it, which may be after its sender has died. */
  writing<A>(
    client: Client,
    expected: A,
    execute: () => Promise<A>,
    isDone: (answer: A) => boolean,
  ): Asking<A> {
    return {
      write: async (id, asked) => {
        await this.reach(client);
        const fate = this.#fateOf(client);
        const generation = this.#generation;
        const answer = Promise.withResolvers<A>();
        const broken = (ms: number) =>
          void client.wait(ms).then(() => answer.reject(new ConnectionLost(new Error(`broken: ${fate}`))));
        const serve = async (): Promise<void> => {
          if (!client.isAwake()) {
            // It has begun, and says nothing more.
            broken(0);
            return this.#time.sleep(STANDSTILL_MS);
          }
          asked(expected);
          if (fate !== "fine") this.#count(`store: ${fate}`);
          if (fate === "lost") {
            broken(client.random.int(5, SILENCE_MS));
            return this.#time.sleep(client.random.int(0, STANDSTILL_MS));
          }
          if (fate === "late") {
            broken(client.random.int(0, 20));
            await this.#time.sleep(client.random.int(30, STANDSTILL_MS));
          }
          if (this.#generation !== generation) return;
          const done = await execute();
          if (isDone(done)) this.#receipts.add(id);
          if (fate === "fine" && !this.isCut(client.name)) answer.resolve(done);
          else if (fate !== "late") broken(client.random.int(5, SILENCE_MS));
        };
        this.#time.must(this.#locked(serve));
        const told = await answer.promise;
        await client.wait(this.#latencyMs(client));
        return told;
      },
      wasWritten: async (id) => {
        await this.reach(client);
        if (this.#fateOf(client) !== "fine") {
          await client.wait(client.random.int(5, SILENCE_MS));
          throw new ConnectionLost(new Error("broken: asked for a receipt"));
        }
        const found = await this.#locked(() => Promise.resolve(this.#receipts.has(id)));
        this.#count(`store: receipt ${found ? "found" : "missing"}`);
        return found;
      },
    };
  }

  /** Whether what is read now takes its time. */
  isFar({ name, random }: Client): boolean {
    return this.isCut(name) || (this.weather !== CALM && random.chance(SLOW_READS));
  }

  /** A connection, as soon as there is one. */
  async reach(client: Client): Promise<void> {
    await client.wait(this.#latencyMs(client));
    for (let waited = 0; this.isCut(client.name); waited += LOOK_EVERY_MS) {
      if (waited >= REACH_MS) throw new ConnectionLost(new Error("no host can be reached"));
      await client.wait(LOOK_EVERY_MS);
    }
  }

  #fateOf({ random }: Client): Fate {
    const { lost, unanswered, late } = this.weather;
    if (lost + unanswered + late === 0) return "fine";
    const drawn = random.next();
    if (drawn < lost) return "lost";
    if (drawn < lost + unanswered) return "unanswered";
    return drawn < lost + unanswered + late ? "late" : "fine";
  }

  #latencyMs({ random }: Client): number {
    return random.next() * this.weather.maxLatencyMs;
  }

  async #locked<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#writing;
    const over = Promise.withResolvers<void>();
    this.#writing = over.promise;
    await before;
    try {
      return await work();
    } finally {
      over.resolve();
    }
  }
}
