/**
 * The clocks of one machine: it runs faster or slower than the world's, its wall clock is set back and forth, and it
 * sleeps. `/proc/uptime` runs through sleep; timers do not.
 */
import type { Scheduler } from "../../agent/effects/scheduler.ts";
import type { Clock } from "../../protocol/time.ts";
import type { Cancel, Time } from "./time.ts";

/** 2026-06-01, so that signed and built things are older. */
const WALL_BEGINS = 1_780_272_000_000;

export class MachineClock implements Clock {
  readonly #time: Time;
  readonly #rate: number;
  #wallOff: number;
  #bootedAt = 0;
  #asleepSince: number | null = null;
  #slept = 0;
  #lastSleep = { endedAt: Number.NEGATIVE_INFINITY, ms: 0 };
  #backlog: (() => void)[] = [];

  constructor(time: Time, rate: number, wallOff = 0) {
    this.#time = time;
    this.#rate = rate;
    this.#wallOff = wallOff;
  }

  now(): number {
    return Math.round(WALL_BEGINS + this.#wallOff + this.#time.now * this.#rate);
  }

  uptime(): number {
    return Math.round((this.#time.now - this.#bootedAt) * this.#rate) + 10_000;
  }

  setWall(byMs: number): void {
    this.#wallOff += byMs;
  }

  boot(): void {
    this.#bootedAt = this.#time.now;
    this.#backlog = [];
    this.#asleepSince = null;
  }

  get isAsleep(): boolean {
    return this.#asleepSince !== null;
  }

  sleep(): void {
    this.#asleepSince ??= this.#time.now;
  }

  wake(): void {
    if (this.#asleepSince === null) return;
    const ms = this.#time.now - this.#asleepSince;
    this.#slept += ms;
    this.#lastSleep = { endedAt: this.#time.now, ms };
    this.#asleepSince = null;
    for (const run of this.#backlog.splice(0)) this.#time.after(0, run);
  }

  /** How long it slept, if it has been awake for no longer than that; otherwise 0. */
  sleptWithin(ms: number): number {
    return this.#time.now - this.#lastSleep.endedAt <= ms ? this.#lastSleep.ms : 0;
  }

  /** Something that reaches this machine: at once, or when it wakes. */
  reach(run: () => void): void {
    if (this.#asleepSince === null) run();
    else this.#backlog.push(run);
  }

  /** Calls back after so long by this machine's own timers. */
  after(ms: number, run: () => void): Cancel {
    const dueAt = this.#ran() + Math.max(0, ms) / this.#rate;
    let cancel: Cancel = () => undefined;
    let over = false;
    const due = (): void => {
      if (over) return;
      const left = dueAt - this.#ran();
      if (this.#asleepSince !== null) this.#backlog.push(due);
      else if (left > 0.001) cancel = this.#time.after(left, due);
      else run();
    };
    cancel = this.#time.after(dueAt - this.#ran(), due);
    return () => {
      over = true;
      cancel();
    };
  }

  /** How long it has been awake. */
  #ran(): number {
    return (this.#asleepSince ?? this.#time.now) - this.#slept;
  }
}

/** Timers that end with the process that set them. */
export const schedulerOf = (clock: MachineClock, isAlive: () => boolean): Scheduler => ({
  after: (ms, run) =>
    clock.after(ms, () => {
      if (isAlive()) run();
    }),
});
