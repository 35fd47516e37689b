import { describe, expect, it } from "vitest";
import { alternate } from "../../bench/alternate.ts";
import { isHeld, type Line, ratioOf } from "../../bench/line.ts";
import { json, markdown } from "../../bench/report.ts";
import { quantile, spreadOf } from "../../bench/spread.ts";

const line = (over: Partial<Line> = {}): Line => ({
  name: "prepare",
  what: "50 MB",
  beside: "`curl | tar`",
  unit: "ms",
  value: spreadOf([700, 600, 690, 1200, 620]),
  peer: spreadOf([460]),
  bound: 1.5,
  better: "lower",
  ...over,
});

describe("spread", () => {
  it("is the middle and its quarters, in whatever order they were measured", () => {
    expect(spreadOf([5, 1, 4, 2, 3])).toEqual({ median: 3, low: 2, high: 4, count: 5 });
  });

  it("lies between two measurements in proportion", () => {
    expect(quantile([10, 20], 0.5)).toBe(15);
    expect(quantile([0, 100], 0.99)).toBe(99);
    expect(quantile([7], 0.99)).toBe(7);
  });

  it("is not said of nothing", () => {
    expect(() => spreadOf([])).toThrow("nothing was measured");
  });
});

describe("a line", () => {
  it("is the ratio of the medians", () => {
    expect(ratioOf(line())).toBe(1.5);
  });

  it.each([
    ["lower", 1.5, true],
    ["lower", 1.49, false],
    ["higher", 1.5, true],
    ["higher", 1.51, false],
  ] as const)("where %s is better and the bound is %d, 1.5 holds: %s", (better, bound, held) => {
    expect(isHeld(line({ better, bound }))).toBe(held);
  });
});

describe("the report", () => {
  it("is a table that marks what is broken, and keeps its columns", () => {
    const text = markdown([line(), line({ name: "idle", better: "higher", bound: 2, note: "p99 4 ms" })]);
    expect(text.split("\n").slice(2, 4)).toEqual([
      "| **prepare** 50 MB, against `curl \\| tar` | 690 ms (620–700) | 460 ms | 1.5 | ≤ 1.5 | held |",
      "| **idle** 50 MB, against `curl \\| tar` (p99 4 ms) | 690 ms (620–700) | 460 ms | 1.5 | ≥ 2 | **broken** |",
    ]);
  });

  it("is JSON with exactly what is promised", () => {
    expect(JSON.parse(json([line()]))).toEqual([
      { name: "prepare", value: 690, peer: 460, ratio: 1.5, bound: 1.5, better: "lower" },
    ]);
  });
});

describe("measuring in turns", () => {
  it("goes A B A B, and throws the first turn of each away", async () => {
    const order: string[] = [];
    const one = (name: string) => async () => order.push(name);
    expect(await alternate(2, one("a"), one("b"))).toEqual({ a: [3, 5], b: [4, 6] });
    expect(order).toEqual(["a", "b", "a", "b", "a", "b"]);
  });
});
