import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Part, parseShard, shareOf } from "./part.ts";
import { loadParts, runParts } from "./run.ts";

const whole = { index: 1, of: 1 };
const fine: Part = { name: "fine", run: () => Promise.resolve({ passed: 3, failed: 1 }) };
const broken: Part = { name: "broken", run: () => Promise.reject(new Error("out of paper")) };

describe("the proof's parts", () => {
  it("are all found, each under the name of its file", async () => {
    const parts = await loadParts(join(import.meta.dirname, "parts"));
    expect(parts.map(({ name }) => name)).toContain("simulation");
  });

  it("are counted together, and one that breaks is a failure", async () => {
    const lines: string[] = [];
    const counts = await runParts([fine, broken], { shard: whole, print: (line) => lines.push(line) });
    expect(counts).toMatchObject({ passed: 3, failed: 2 });
    expect(counts.parts).toMatchObject([
      { name: "fine", passed: 3, failed: 1 },
      { name: "broken", passed: 0, failed: 1 },
    ]);
    expect(lines.join("\n")).toContain("out of paper");
  });

  it("fail together when they hold too much memory", async () => {
    const counts = await runParts([fine], { shard: whole, print: () => undefined, maxBytes: 1024 });
    expect(counts).toMatchObject({ passed: 3, failed: 2 });
  });
});

describe("shards", () => {
  it.each(["1/1", "2/7", "7/7"])("reads %s", (text) => {
    expect(`${parseShard(text)?.index}/${parseShard(text)?.of}`).toBe(text);
  });

  it.each(["", "0/3", "4/3", "1", "a/b", "1/0"])("refuses %j", (text) => {
    expect(parseShard(text)).toBeNull();
  });

  it("hold everything once", () => {
    const items = Array.from({ length: 10 }, (_, at) => at);
    const shared = [1, 2, 3].flatMap((index) => shareOf(items, { index, of: 3 }));
    expect(shared.sort((a, b) => a - b)).toEqual(items);
  });
});
