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

/** How one scenario went; `fault` says in words what was wrong, null if nothing was. */
export type Verdict = { readonly name: string; readonly fault: string | null };

/** Closes with `N passed, N failed`, and leaves the same with what failed in `build/` for `tests/tally.ts`. The exit status. */
export function report(file: string, verdicts: readonly Verdict[], print: (line: string) => void): 0 | 1 {
  const faults = verdicts.flatMap(({ name, fault }) => (fault === null ? [] : [`${name}: ${fault}`]));
  const counts = { passed: verdicts.length - faults.length, failed: faults.length };
  mkdirSync(BUILD, { recursive: true });
  writeFileSync(join(BUILD, file), `${JSON.stringify({ ...counts, faults })}\n`);
  print(`${counts.passed} passed, ${counts.failed} failed`);
  return counts.failed === 0 ? 0 : 1;
}

/** What was to be played and was not, since the run was interrupted or broke. */
export const notPlayed = (all: readonly { readonly name: string }[], played: number): readonly Verdict[] =>
  all.slice(played).map(({ name }) => ({ name, fault: "it was not played" }));
