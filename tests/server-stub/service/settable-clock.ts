import type { Clock } from "../../../protocol/time.ts";

/** A clock whose hands the test turns. The wall clock can be set apart from what has passed. */
export class SettableClock implements Clock {
  #wallMs = 1_800_000_000_000;
  #upMs = 1_000_000;

  now(): number {
    return this.#wallMs;
  }

  uptime(): number {
    return this.#upMs;
  }

  pass(ms: number): void {
    this.#wallMs += ms;
    this.#upMs += ms;
  }

  setWall(ms: number): void {
    this.#wallMs = ms;
  }
}
