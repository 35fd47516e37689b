import { stripVTControlCharacters } from "node:util";

/** Rows under their heading, columns as wide as needed, two spaces apart. Cells may be coloured. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [heading, ...rows];
  const widths = heading.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ""))));
  return all
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : pad(cell, widths[column] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** `name  value` lines, aligned. */
export const facts = (pairs: readonly (readonly [string, string])[]): string => {
  const widest = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(widest)}  ${value}`.trimEnd()).join("\n");
};

/** Columns that a text takes on a terminal, without its colours. */
export const width = (text: string): number => Array.from(stripVTControlCharacters(text)).length;

/** Filled up with spaces on the right. */
export const pad = (text: string, to: number): string => text + " ".repeat(Math.max(0, to - width(text)));
