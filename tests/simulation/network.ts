/**
 * What lies between the nodes and the coordinator: everything takes its time, and may be lost, repeated, overtaken or
 * very late. A direction may be cut, for one node or for all.
 */
import type { Random } from "./random.ts";
import type { Time } from "./time.ts";

export type Direction = "to-coordinator" | "to-node";

export type Weather = {
  /** Of each message: that it never comes, that it comes twice, that it takes its own time and is overtaken. */
  readonly loss: number;
  readonly repeat: number;
  readonly late: number;
  readonly maxLatencyMs: number;
};

export const FAIR: Weather = { loss: 0, repeat: 0, late: 0, maxLatencyMs: 20 };

const RETRY_MS = 700;
const GIVE_UP_MS = 20_000;

export class Network {
  weather: Weather = FAIR;
  readonly #time: Time;
  readonly #random: Random;
  readonly #cuts = new Set<string>();

  constructor(time: Time, random: Random) {
    this.#time = time;
    this.#random = random;
  }

  cut(node: string, direction: Direction): void {
    this.#cuts.add(`${node} ${direction}`);
  }

  heal(node: string, direction: Direction): void {
    this.#cuts.delete(`${node} ${direction}`);
  }

  healAll(): void {
    this.#cuts.clear();
    this.weather = FAIR;
  }

  isCut(node: string, direction: Direction): boolean {
    return this.#cuts.has(`${node} ${direction}`) || this.#cuts.has(`* ${direction}`);
  }

  /** Whether something that is asked for now would be answered. */
  reaches(node: string): boolean {
    return !this.isCut(node, "to-coordinator") && !this.isCut(node, "to-node");
  }

  latencyMs(): number {
    const { maxLatencyMs, late } = this.weather;
    const base = 1 + this.#random.next() * maxLatencyMs;
    return late > 0 && this.#random.chance(late) ? base + this.#random.next() * 12_000 : base;
  }

  /** One message on its own: an HTTP request, or its answer. What meets a cut is lost, or comes after it. */
  send(node: string, direction: Direction, deliver: () => void): void {
    const { loss, repeat } = this.weather;
    if (loss > 0 && this.#random.chance(loss)) return;
    const copies = repeat > 0 && this.#random.chance(repeat) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) this.#attempt(node, direction, deliver, this.#time.now);
  }

  #attempt(node: string, direction: Direction, deliver: () => void, since: number): void {
    this.#time.after(this.latencyMs(), () => {
      if (!this.isCut(node, direction)) return deliver();
      if (this.#time.now - since > GIVE_UP_MS || this.#random.chance(0.3)) return;
      this.#time.after(RETRY_MS, () => this.#attempt(node, direction, deliver, since));
    });
  }

  /** A way on which messages stay in their order, unless the weather says otherwise. */
  lane(node: string, direction: Direction): Lane {
    return new Lane(this, this.#time, this.#random, node, direction);
  }
}

export class Lane {
  readonly #network: Network;
  readonly #time: Time;
  readonly #random: Random;
  readonly #node: string;
  readonly #direction: Direction;
  readonly #waiting: { readonly at: number; readonly deliver: () => void }[] = [];
  #last = 0;

  constructor(network: Network, time: Time, random: Random, node: string, direction: Direction) {
    this.#network = network;
    this.#time = time;
    this.#random = random;
    this.#node = node;
    this.#direction = direction;
  }

  send(deliver: () => void): void {
    const { loss, repeat, late } = this.#network.weather;
    if (loss > 0 && this.#random.chance(loss)) return;
    if (late > 0 && this.#random.chance(late)) {
      this.#network.send(this.#node, this.#direction, deliver);
      return;
    }
    this.#last = Math.max(this.#last, this.#time.now + this.#network.latencyMs());
    this.#waiting.push({ at: this.#last, deliver });
    this.#time.at(this.#last, () => this.#flow());
    if (repeat > 0 && this.#random.chance(repeat)) this.#network.send(this.#node, this.#direction, deliver);
  }

  #flow(): void {
    if (this.#network.isCut(this.#node, this.#direction)) {
      if (this.#waiting.length > 0) this.#time.after(RETRY_MS, () => this.#flow());
      return;
    }
    while ((this.#waiting[0]?.at ?? Number.POSITIVE_INFINITY) <= this.#time.now)
      this.#waiting.shift()?.deliver();
  }
}
