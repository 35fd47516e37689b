/** How the result is told: a Markdown table for people, JSON for programs. */
import { isHeld, type Line, ratioOf } from "./line.ts";
import type { Spread } from "./spread.ts";

/** Where a bound is broken, the last column says so. */
export function markdown(lines: readonly Line[]): string {
  const rows = [
    ["", "Baton", "beside it", "ratio", "bound", ""],
    ["---", "--:", "--:", "--:", "--:", "---"],
    ...lines.map((line) => [
      `**${line.name}** ${line.what}, against ${line.beside}${line.note === undefined ? "" : ` (${line.note})`}`,
      withSpread(line.value, line.unit),
      withSpread(line.peer, line.unit),
      figure(ratioOf(line)),
      `${line.better === "lower" ? "≤" : "≥"} ${line.bound}`,
      isHeld(line) ? "held" : "**broken**",
    ]),
  ];
  return `${rows.map((cells) => `| ${cells.map(escaped).join(" | ")} |`).join("\n")}\n\nMedians; in parentheses the middle half of the measurements.\n`;
}

/** `[{ name, value, peer, ratio, bound, better }]`, medians in the unit of the table. */
export const json = (lines: readonly Line[]): string =>
  `${JSON.stringify(
    lines.map((line) => ({
      name: line.name,
      value: line.value.median,
      peer: line.peer.median,
      ratio: ratioOf(line),
      bound: line.bound,
      better: line.better,
    })),
    null,
    2,
  )}\n`;

const withSpread = ({ median, low, high, count }: Spread, unit: string): string =>
  count === 1 ? `${figure(median)} ${unit}` : `${figure(median)} ${unit} (${figure(low)}–${figure(high)})`;

/** A bar within a cell would begin another one. */
const escaped = (cell: string): string => cell.replaceAll("|", "\\|");

/** Three figures that mean something. */
export const figure = (value: number): string =>
  Math.abs(value) >= 100 ? Math.round(value).toString() : Number(value.toPrecision(3)).toString();
