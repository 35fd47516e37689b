/**
 * Rollouts against their transcripts in `tests/testdata/rollout/`. A block is lines of words, `----`, and what comes of
 * them; `REWRITE=1` writes what comes of them instead of comparing.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { RolloutWorld } from "./world.ts";

const DIR = join(import.meta.dirname, "../../../testdata/rollout");
const files = readdirSync(DIR).filter((name) => name.endsWith(".txt"));

test("there are transcripts", () => expect(files.length).toBeGreaterThan(15));

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
  const world = new RolloutWorld();
  const blocks = text.trimEnd().split(/\n\n+/);
  return `${blocks.map((block) => playBlock(world, block)).join("\n\n")}\n`;
}

function playBlock(world: RolloutWorld, block: string): string {
  const lines = block.split("\n");
  const end = lines.indexOf("----");
  const asked = end === -1 ? lines : lines.slice(0, end);
  const words = asked.filter((line) => !line.startsWith("#"));
  if (words.length === 0) return block;
  const came = words.map((line) => world.run(line)).filter((said) => said !== "");
  return [...asked, "----", ...(came.length === 0 ? ["nothing new"] : came)].join("\n");
}
