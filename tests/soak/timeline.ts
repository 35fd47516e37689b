/** Looks at the coordinator once a second, prints a line every fifteen, and keeps what was seen of each phase. */
import { quantile } from "../../bench/spread.ts";
import type { LoneCoordinator } from "../light-agents/coordinator.ts";
import type { Counts, Swarm } from "../light-agents/swarm.ts";
import type { Probe } from "./probe.ts";
import type { Rollouts } from "./rollouts.ts";

export type PhaseSeen = {
  readonly memoryMb: number[];
  readonly descriptors: number[];
  readonly beatMs: number[];
  readonly readyMs: number[];
  readonly diskMs: number[];
  failed: number;
};

type Parts = {
  readonly coordinator: LoneCoordinator;
  readonly swarm: Swarm;
  readonly probe: Probe;
  readonly rollouts: Rollouts;
};

const LOOK_MS = 1_000;
const LINE_MS = 15_000;

export class Timeline {
  readonly phases = new Map<string, PhaseSeen>();
  readonly #parts: Parts;
  readonly #print: (line: string) => void;
  readonly #began = performance.now();
  readonly #looker: NodeJS.Timeout;
  readonly #printer: NodeJS.Timeout;
  #phase = "";
  #line: Promise<void> = Promise.resolve();

  constructor(parts: Parts, print: (line: string) => void) {
    this.#parts = parts;
    this.#print = print;
    this.#looker = setInterval(() => void this.#look(), LOOK_MS);
    this.#printer = setInterval(() => this.#printLine(), LINE_MS);
  }

  begin(phase: string): void {
    this.#takeProbed();
    this.#phase = phase;
    this.phases.set(phase, { memoryMb: [], descriptors: [], beatMs: [], readyMs: [], diskMs: [], failed: 0 });
    this.#print(`${this.#clock()}  -- ${phase} --`);
  }

  async end(): Promise<void> {
    clearInterval(this.#looker);
    clearInterval(this.#printer);
    await this.#line;
    this.#takeProbed();
  }

  async #look(): Promise<void> {
    this.#takeProbed();
    const seen = this.phases.get(this.#phase);
    const { coordinator } = this.#parts;
    if (seen === undefined || !coordinator.isRunning) return;
    // It may be killed while it is looked at, and then there is nothing to see.
    const [memory, open] = await Promise.all([
      coordinator.memoryMb().catch(() => 0),
      coordinator.descriptors().catch(() => 0),
    ]);
    if (memory > 0) seen.memoryMb.push(memory);
    if (open > 0) seen.descriptors.push(open);
  }

  #takeProbed(): void {
    const seen = this.phases.get(this.#phase);
    const { beatMs, readyMs, diskMs, failed } = this.#parts.probe.take();
    seen?.beatMs.push(...beatMs);
    seen?.readyMs.push(...readyMs);
    seen?.diskMs.push(...diskMs);
    if (seen !== undefined) seen.failed += failed;
  }

  #printLine(): void {
    this.#line = this.#line
      .then(async () => {
        const { coordinator, swarm } = this.#parts;
        const seconds = await coordinator.processorSeconds().catch(() => 0);
        this.#print(
          `${this.#clock()}  ${this.#says(await swarm.counts())}, processor ${seconds.toFixed(0)} s`,
        );
      })
      .catch((error: unknown) => this.#print(`${this.#clock()}  no line: ${String(error)}`));
  }

  #says(counts: Counts): string {
    const seen = this.phases.get(this.#phase);
    const { rollouts } = this.#parts;
    const last = (all: readonly number[] | undefined) => Math.round(all?.at(-1) ?? 0);
    return [
      `online ${counts.online}`,
      `memory ${last(seen?.memoryMb)} MiB`,
      `open ${last(seen?.descriptors)}`,
      `beat ${says(counts.answeredMs)}`,
      `probe ${says(seen?.beatMs ?? [])}`,
      `ready ${says(seen?.readyMs ?? [])}`,
      `disk ${says(seen?.diskMs ?? [])}`,
      `reconnects ${counts.reconnects}`,
      `leases ${counts.leases}`,
      `jobs ${counts.ended}`,
      `lines ${counts.lines}`,
      `down at once ${counts.mostDown}`,
      `rollout ${rollouts.progress}`,
    ].join(", ");
  }

  #clock(): string {
    const seconds = Math.round((performance.now() - this.#began) / 1000);
    return `${String(Math.floor(seconds / 60)).padStart(2)}:${String(seconds % 60).padStart(2, "0")}`;
  }
}

/** Median and 99th percentile. */
const says = (ms: readonly number[]): string =>
  ms.length === 0 ? "-" : `${quantile(ms, 0.5).toFixed(0)}/${quantile(ms, 0.99).toFixed(0)} ms`;
