/** Work of the proof in a process of its own, so that both cores are busy and nothing that it holds is held for longer. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Counts } from "./part.ts";

const FOLDER = join(import.meta.dirname, "children");

/**
 * Runs a program of `children/`. What it prints is printed; it says by `answer` what it counted. Throws when it ends
 * without.
 */
export async function runChild(
  name: string,
  args: readonly string[],
  print: (line: string) => void,
): Promise<Counts> {
  const child = fork(join(FOLDER, name), args, { stdio: ["ignore", "pipe", "pipe", "ipc"] });
  let counts: Counts | undefined;
  child.on("message", (message) => {
    counts = message as Counts;
  });
  for (const input of [child.stdout, child.stderr]) {
    if (input !== null) createInterface({ input }).on("line", print);
  }
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  if (counts === undefined) throw new Error(`${name} ${args.join(" ")} ended with ${signal ?? code}.`);
  return counts;
}

/** Tells the proof what a child has counted, and lets it end. */
export function answer(counts: Counts): void {
  process.send?.(counts);
  process.disconnect?.();
}

/** At most two at a time. */
export async function twoAtATime(works: readonly (() => Promise<Counts>)[]): Promise<Counts> {
  const waiting = [...works];
  let [passed, failed] = [0, 0];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const counts = await next();
      passed += counts.passed;
      failed += counts.failed;
    }
  };
  await Promise.all([work(), work()]);
  return { passed, failed };
}
