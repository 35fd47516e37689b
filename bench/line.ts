import type { Spread } from "./spread.ts";

/** One line of the result: what was measured, and the thing beside it that was measured in the same run. */
export type Line = {
  readonly name: string;
  /** What `value` is, for people. */
  readonly what: string;
  /** What `peer` is, for people. */
  readonly beside: string;
  readonly unit: "ms" | "kB" | "MB" | "s" | "per second";
  readonly value: Spread;
  readonly peer: Spread;
  /** What `value / peer` is to stay within. */
  readonly bound: number;
  /** Whether less of it is better: then `bound` is the most that the ratio may be, otherwise the least. */
  readonly better: "lower" | "higher";
  /** Anything more that belongs to it, such as a slowest hundredth. */
  readonly note?: string;
};

/** Of the medians. */
export const ratioOf = ({ value, peer }: Line): number => value.median / peer.median;

export const isHeld = (line: Line): boolean =>
  line.better === "lower" ? ratioOf(line) <= line.bound : ratioOf(line) >= line.bound;
