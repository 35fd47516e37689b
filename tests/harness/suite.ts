/** What the programs that play a suite by name have in common: which of it they play, and how they end. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const BUILD = join(import.meta.dirname, "../../build");

/** Those whose name holds one of the parts; all of them where no part is given. */
export const chosen = <T extends { readonly name: string }>(
  all: readonly T[],
  parts: readonly string[],
): readonly T[] =>
  parts.length === 0 ? all : all.filter(({ name }) => parts.some((part) => name.includes(part)));

/** Closes with `N passed, N failed`, and leaves the same in `build/` for `tests/tally.ts`. The exit status. */
export function report(
  file: string,
  counts: { readonly passed: number; readonly failed: number },
  print: (line: string) => void,
): 0 | 1 {
  mkdirSync(BUILD, { recursive: true });
  writeFileSync(join(BUILD, file), `${JSON.stringify(counts)}\n`);
  print(`${counts.passed} passed, ${counts.failed} failed`);
  return counts.failed === 0 ? 0 : 1;
}
