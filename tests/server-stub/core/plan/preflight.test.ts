/**
 * Preflight and plans against their transcripts in `tests/testdata/preflight/`: a fleet in words, `----`, and what a
 * rollout over it would do. `plan` shows what warns and refuses, `plan all` everything, `compare` how it differs from
 * the plan before. `REWRITE=1` writes what comes of them instead of comparing.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Fleet } from "./world.ts";

const DIR = join(import.meta.dirname, "../../../testdata/preflight");
const files = readdirSync(DIR).filter((name) => name.endsWith(".txt"));

test("there are transcripts", () => expect(files.length).toBeGreaterThan(7));

describe.each(files)("%s", (name) => {
  test("reads as it is written", () => {
    const path = join(DIR, name);
    const written = readFileSync(path, "utf8");
    const played = play(written);
    if (process.env.REWRITE === "1") writeFileSync(path, played);
    expect(played).toBe(process.env.REWRITE === "1" ? played : written);
  });
});

function play(text: string): string {
  const fleet = new Fleet();
  const blocks = text.trimEnd().split(/\n\n+/);
  return `${blocks.map((block) => playBlock(fleet, block)).join("\n\n")}\n`;
}

function playBlock(fleet: Fleet, block: string): string {
  const lines = block.split("\n");
  const end = lines.indexOf("----");
  const asked = end === -1 ? lines : lines.slice(0, end);
  const words = asked.filter((line) => !line.startsWith("#"));
  const came = words.map((line) => fleet.run(line)).filter((said) => said !== "");
  return came.length === 0 ? asked.join("\n") : [...asked, "----", ...came].join("\n");
}
