/**
 * Every small world is searched to its end, and every mistake of `mutations.ts` is found. How many states there are is
 * in `tests/testdata/exploration/worlds.txt`: a world that suddenly is smaller has lost something that can happen.
 * `REWRITE=1` writes the counts instead of comparing them.
 */
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import type { Line } from "./main.ts";
import { MUTATIONS } from "./mutations.ts";
import { WORLDS } from "./worlds.ts";

const COUNTS = join(import.meta.dirname, "../testdata/exploration/worlds.txt");

describe("all that can happen in a small world", () => {
  let lines: readonly Line[] = [];
  const lineOf = (kind: Line["kind"], name: string) => {
    const line = lines.find((each) => each.kind === kind && each.name === name);
    if (line === undefined) throw new Error(`nothing was searched for ${name}`);
    return line;
  };

  beforeAll(async () => {
    const main = join(import.meta.dirname, "main.ts");
    const { stdout } = await promisify(execFile)(process.execPath, [main], { maxBuffer: 1 << 24 });
    lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
  }, 180_000);

  it.each(Object.keys(WORLDS))("keeps the invariants and can settle: %s", (name) => {
    const { violation, complete } = lineOf("world", name);
    expect(violation === null ? null : told(violation)).toBeNull();
    expect(complete).toBe(true);
  });

  it("is as much as it was", () => {
    const counts = lines.filter(({ kind }) => kind === "world").map(countsOf);
    const text = `${counts.join("\n")}\n`;
    if (process.env.REWRITE === "1") writeFileSync(COUNTS, text);
    expect(text).toBe(readFileSync(COUNTS, "utf8"));
  });

  it.each(MUTATIONS)("finds the mistake: $name", ({ name, breaks }) => {
    const { violation, states } = lineOf("mutation", name);
    if (violation === null) throw new Error(`${states} states were searched, and nothing was found`);
    expect(told(violation)).toContain(`\n${breaks}: `);
  });
});

const told = ({ invariant, message, history }: NonNullable<Line["violation"]>): string =>
  [...history, `${invariant}: ${message}`].join("\n");

const countsOf = ({ name, states, steps, depth, settled }: Line): string =>
  `${name}: ${states} states, ${steps} steps, ${settled} at rest, at most ${depth} steps from the beginning`;
