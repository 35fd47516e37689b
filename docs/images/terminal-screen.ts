/**
 * What a terminal shows in the end for a text that was captured from it: colours, and the cursor movements by which
 * progress is drawn over. Anything else that a terminal understands is passed over. Pure.
 */

/** How a cell looks. Colours are CSS colours; null is the terminal's own. */
export type Style = {
  readonly color: string | null;
  readonly background: string | null;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly underline: boolean;
};

export type Cell = { readonly character: string; readonly style: Style };
/** The cells of a row, without blank ones at its end. */
export type Row = readonly Cell[];

export const PLAIN: Style = { color: null, background: null, bold: false, dim: false, underline: false };

const BLANK: Cell = { character: " ", style: PLAIN };

/**
 * The rows that are left on the screen when the whole capture was written. The screen is as high and as wide as it
 * needs to be: who draws over lines counts on one row for each.
 */
export function screenOf(capture: string): readonly Row[] {
  const rows: Cell[][] = [];
  let [row, column] = [0, 0];
  let style = PLAIN;
  const rowAt = (index: number): Cell[] => {
    while (rows.length <= index) rows.push([]);
    return rows[index] as Cell[];
  };
  for (let at = 0; at < capture.length; ) {
    const character = String.fromCodePoint(capture.codePointAt(at) ?? 0);
    at += character.length;
    if (character === "\u001b") {
      const sequence = sequenceAt(capture, at);
      at += sequence.length;
      const count = Math.max(1, sequence.values[0] ?? 1);
      if (sequence.kind === "m") style = restyled(style, sequence.values);
      if (sequence.kind === "A") row = Math.max(0, row - count);
      if (sequence.kind === "B") row += count;
      if (sequence.kind === "C") column += count;
      if (sequence.kind === "D") column = Math.max(0, column - count);
      if (sequence.kind === "G") column = count - 1;
      if (sequence.kind === "K") erase(rowAt(row), sequence.values[0] ?? 0, column);
      if (sequence.kind === "J") {
        erase(rowAt(row), 0, column);
        rows.length = row + 1;
      }
    } else if (character === "\n") {
      [row, column] = [row + 1, 0];
    } else if (character === "\r") {
      column = 0;
    } else if (character >= " ") {
      const cells = rowAt(row);
      while (cells.length < column) cells.push(BLANK);
      cells[column] = { character, style };
      column += 1;
    }
  }
  return withoutBlankEnd(rows.map(trimmed));
}

/** A row as several that are not wider than `columns`, broken between words, all but the first set in a little. */
export function wrapped(row: Row, columns: number): readonly Row[] {
  const rows: Row[] = [];
  const inset =
    Math.max(
      0,
      row.findIndex((cell) => !isBlank(cell)),
    ) + 2;
  const hanging = Array<Cell>(Math.min(inset, Math.floor(columns / 4))).fill(BLANK);
  let rest = row;
  while (rest.length > columns) {
    const space = rest.slice(0, columns + 1).findLastIndex((cell, at) => at > columns / 2 && isBlank(cell));
    rows.push(trimmed(rest.slice(0, space === -1 ? columns : space)));
    rest = [...hanging, ...rest.slice(space === -1 ? columns : space + 1)];
  }
  return [...rows, rest];
}

type Sequence = { readonly kind: string; readonly values: readonly number[]; readonly length: number };

/** The sequence behind an escape character. What is none of the kind that moves or colours is skipped whole. */
function sequenceAt(text: string, at: number): Sequence {
  const rest = text.slice(at, at + 256);
  const control = /^\[([0-9;]*)([A-Za-z])/.exec(rest);
  if (control !== null) {
    const values = (control[1] ?? "").split(";").map((value) => (value === "" ? 0 : Number(value)));
    return { kind: control[2] ?? "", values: control[1] === "" ? [] : values, length: control[0].length };
  }
  const titleEnd = rest.startsWith("]") ? rest.indexOf("\u0007") : -1;
  const other = /^\[[0-9;?]*[ -/]*[@-~]|^[ -~]/.exec(rest);
  return { kind: "", values: [], length: titleEnd === -1 ? (other?.[0].length ?? 0) : titleEnd + 1 };
}

function erase(cells: Cell[], how: number, column: number): void {
  if (how === 0) cells.length = Math.min(cells.length, column);
  if (how === 2) cells.length = 0;
}

/** Ten of the sixteen colours are what programs use; the others are here for completeness. */
const PALETTE = [
  ["#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4"],
  ["#6e7681", "#ffa198", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#ffffff"],
] as const;

/** Source: ECMA-48, 8.3.117 (select graphic rendition). */
function restyled(style: Style, values: readonly number[]): Style {
  let next = style;
  for (const value of values.length === 0 ? [0] : values) {
    const [tens, ones] = [Math.floor(value / 10), value % 10];
    if (value === 0) next = PLAIN;
    else if (value === 1) next = { ...next, bold: true };
    else if (value === 2) next = { ...next, dim: true };
    else if (value === 4) next = { ...next, underline: true };
    else if (value === 22) next = { ...next, bold: false, dim: false };
    else if (value === 24) next = { ...next, underline: false };
    else if (tens === 3 || tens === 9) next = { ...next, color: PALETTE[tens === 9 ? 1 : 0][ones] ?? null };
    else if (tens === 4 || tens === 10)
      next = { ...next, background: PALETTE[tens === 10 ? 1 : 0][ones] ?? null };
  }
  return next;
}

const isBlank = ({ character, style }: Cell): boolean => character === " " && style.background === null;

function trimmed(cells: readonly (Cell | undefined)[]): Row {
  const full = Array.from(cells, (cell) => cell ?? BLANK);
  const last = full.findLastIndex((cell) => !isBlank(cell));
  return full.slice(0, last + 1);
}

function withoutBlankEnd(rows: readonly Row[]): readonly Row[] {
  return rows.slice(0, rows.findLastIndex((row) => row.length > 0) + 1);
}
