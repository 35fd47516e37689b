/** What happened, one line per event that matters: when, who, what. */
import type { Time } from "./time.ts";

export class Story {
  readonly lines: string[] = [];
  readonly #time: Time;
  readonly #isTold: boolean;

  constructor(time: Time, isTold: boolean) {
    this.#time = time;
    this.#isTold = isTold;
  }

  /** Whether anybody reads it: what is costly to say need not be said otherwise. */
  get isTold(): boolean {
    return this.#isTold;
  }

  tell(who: string, what: string): void {
    if (!this.#isTold) return;
    const seconds = (this.#time.now / 1000).toFixed(3).padStart(9);
    this.lines.push(`${seconds}  ${who.padEnd(12)} ${what}`);
  }
}
