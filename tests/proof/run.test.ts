import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runChild, twoAtATime } from "./child.ts";
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

describe("work in processes of its own", () => {
  it("is counted together", async () => {
    const work = (passed: number, failed: number) => () => Promise.resolve({ passed, failed });
    expect(await twoAtATime([work(1, 0), work(2, 1), work(3, 0)])).toEqual({ passed: 6, failed: 1 });
  });

  it("that ends without a word is no success", async () => {
    const lines: string[] = [];
    await expect(runChild("world.ts", ["nowhere"], (line) => lines.push(line))).rejects.toThrow(
      "world.ts nowhere ended with 1.",
    );
    expect(lines.join("\n")).toContain("there is no world called nowhere");
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
