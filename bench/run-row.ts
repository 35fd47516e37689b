import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Line } from "./line.ts";
import type { Row } from "./row.ts";

const BUILD = join(import.meta.dirname, "../build");

/** What rows under way have begun and not ended. */
const begun = new Map<string, ((failed: boolean) => Promise<void>)[]>();

/** Measures a row in directories of its own, and leaves nothing of it behind. Rejects when it cannot be measured. */
export async function runRow(row: Row): Promise<readonly Line[]> {
  const name = row.names[0] ?? "";
  const say = (text: string): void => console.error(`${name.padEnd(12)} ${text}`);
  say(`about ${row.seconds} s`);
  await mkdir(BUILD, { recursive: true });
  const dir = await mkdtemp(join(BUILD, "bench-"));
  const fleetDir = await mkdtemp(join(tmpdir(), "baton-"));
  const ends = [async () => removeAll([dir, fleetDir])] as ((failed: boolean) => Promise<void>)[];
  begun.set(name, ends);
  let failed = true;
  try {
    const lines = await row.measure({ dir, fleetDir, say, atEnd: (work) => void ends.push(work) });
    failed = false;
    return lines;
  } finally {
    await end(name, failed);
  }
}

/** Ends everything that is under way: somebody wants to go home. */
export async function endAll(): Promise<void> {
  await Promise.all([...begun.keys()].map((name) => end(name, false)));
}

async function end(name: string, failed: boolean): Promise<void> {
  const ends = begun.get(name) ?? [];
  for (let work = ends.pop(); work !== undefined; work = ends.pop()) await work(failed);
  begun.delete(name);
}

async function removeAll(dirs: readonly string[]): Promise<void> {
  for (const dir of dirs) await rm(dir, { recursive: true, force: true });
}
