import type { Scheduler } from "../../agent/effects/scheduler.ts";
import type { Clock } from "../../protocol/time.ts";

/** A clock and its timers, whose hands a test turns. */
export class ManualScheduler implements Scheduler, Clock {
  #now = 1_000_000;
  #timers: { at: number; run: () => void }[] = [];

  now(): number {
    return 1_767_225_600_000 + this.#now;
  }

  uptime(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  /** Turns the hands by this much, and calls back what is due on the way. */
  turn(ms: number): void {
    const until = this.#now + ms;
    for (let next = this.#next(); next !== undefined && next.at <= until; next = this.#next()) {
      this.#call(next);
    }
    this.#now = until;
  }

  /** Turns the hands to the next timer; false when there is none. */
  turnToNext(): boolean {
    const next = this.#next();
    if (next === undefined) return false;
    this.#call(next);
    return true;
  }

  /** A process has ended, and its timers with it. */
  forget(): void {
    this.#timers = [];
  }

  #next(): { at: number; run: () => void } | undefined {
    return this.#timers.toSorted((a, b) => a.at - b.at)[0];
  }

  #call(timer: { at: number; run: () => void }): void {
    this.#timers = this.#timers.filter((each) => each !== timer);
    this.#now = Math.max(this.#now, timer.at);
    timer.run();
  }
}
