/** What light agents do, written down by themselves before they do it: what the coordinator is judged by. */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

export type Noted = {
  /**
   * `granted`: it was told that the lease is its own. `acts`: it was given leave and goes down now. `serves`: its new
   * build runs and has a session. `confirmed`: it was told to keep that build, and has done so.
   */
  readonly what: "granted" | "acts" | "serves" | "confirmed";
  readonly token: number;
  readonly name: string;
  readonly group: string;
};

/** `atMs`: on the monotonic clock, which all processes of a machine share. */
export type Entry = Noted & { readonly atMs: number };

/** On the monotonic clock of the machine, milliseconds. */
export const monotonicMs = (): number => Number(process.hrtime.bigint() / 1_000n) / 1_000;

/** A file of one process, to which lines are only ever added. */
export class Diary {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, "a");
  }

  /** It is in the file when this returns. */
  note(noted: Noted): void {
    writeSync(this.#file, `${JSON.stringify({ atMs: monotonicMs(), ...noted })}\n`);
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** What the files say together, in the order in which it happened. */
export const readDiaries = (paths: readonly string[]): readonly Entry[] =>
  paths
    .flatMap((path) => readFileSync(path, "utf8").split("\n"))
    .filter((line) => line.endsWith("}"))
    .map((line) => JSON.parse(line) as Entry)
    .sort((a, b) => a.atMs - b.atMs);
