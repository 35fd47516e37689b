/** Runs parts one after the other, with a time and a peak of memory for each. A part that throws has failed. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { watchMemory } from "./memory.ts";
import type { Counts, Part, Shard } from "./part.ts";

/** What everything together may hold at any moment. */
export const MAX_BYTES = 4 * 1024 ** 3;

export type RunOptions = {
  readonly shard: Shard;
  readonly print: (line: string) => void;
  readonly maxBytes?: number;
};

/** What one part came to. */
export type PartRun = Counts & {
  readonly name: string;
  readonly seconds: number;
  /** The most memory that was held at once while it ran. */
  readonly peakBytes: number;
};

export type Run = Counts & { readonly parts: readonly PartRun[] };

/** Every part that lies in the folder, by name. */
export async function loadParts(folder: string): Promise<Part[]> {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".ts"))
    .sort();
  const loaded = files.map(async (name) => {
    const { part } = (await import(pathToFileURL(join(folder, name)).href)) as { part?: Part };
    if (part === undefined || `${part.name}.ts` !== name)
      throw new Error(`${name} exports no part of its name.`);
    return part;
  });
  return Promise.all(loaded);
}

/** The sum of all; a peak of memory that is too high counts as one failure more. */
export async function runParts(parts: readonly Part[], options: RunOptions): Promise<Run> {
  const { shard, print, maxBytes = MAX_BYTES } = options;
  const memory = watchMemory();
  const runs: PartRun[] = [];
  for (const part of parts) {
    print(`${part.name}: shard ${shard.index} of ${shard.of}`);
    const began = performance.now();
    const counts = await runPart(part, shard, print);
    const seconds = (performance.now() - began) / 1000;
    const peak = memory.peak();
    runs.push({ name: part.name, ...counts, seconds: Math.round(seconds), peakBytes: peak });
    print(
      `${part.name}: ${counts.passed} passed, ${counts.failed} failed in ${inWords(seconds)}, at most ${inMebibytes(peak)} of memory`,
    );
  }
  memory.stop();
  const most = Math.max(...runs.map(({ peakBytes }) => peakBytes));
  const isTooMuch = most >= maxBytes;
  if (isTooMuch) {
    print(`memory: ${inMebibytes(most)} were held at once; ${inMebibytes(maxBytes)} are too many`);
  }
  const sum = (of: (run: PartRun) => number) => runs.reduce((total, run) => total + of(run), 0);
  return {
    passed: sum(({ passed }) => passed),
    failed: sum(({ failed }) => failed) + (isTooMuch ? 1 : 0),
    parts: runs,
  };
}

async function runPart(part: Part, shard: Shard, print: (line: string) => void): Promise<Counts> {
  try {
    return await part.run(shard, (line) => print(`  ${line}`));
  } catch (cause) {
    print(`  it broke: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`);
    return { passed: 0, failed: 1 };
  }
}

const inMebibytes = (bytes: number): string => `${Math.ceil(bytes / 1024 ** 2)} MiB`;

const inWords = (seconds: number): string =>
  seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
