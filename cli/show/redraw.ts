import type { Output } from "./output.ts";
import { width } from "./table.ts";

const ESC = "\u001b[";
/** Lines that are too long are cut by the terminal and do not wrap: drawing over counts on one row for each. */
const NO_WRAP = `${ESC}?7l`;
const WRAP = `${ESC}?7h`;
const CLEAR_LINE = `\r${ESC}2K`;
const CLEAR_BELOW = `${ESC}J`;
const HIDE_CURSOR = `${ESC}?25l`;
const SHOW_CURSOR = `${ESC}?25h`;
/** Terminals that know them show all that is between at once. */
const BEGIN = `${ESC}?2026h`;
const END = `${ESC}?2026l`;

export type Screen = {
  /** Draws a picture over the one before; nothing is written when it is the same. */
  show(picture: string): void;
  /** Gives the terminal back, with the last picture on it. May be called twice. */
  end(): void;
};

/** A part of the terminal that is drawn over: each picture replaces the one before, without flicker. */
export function screen(out: Output): Screen {
  let drawn: readonly string[] = [];
  let last: string | null = null;
  let columns = out.columns;
  return {
    show: (picture) => {
      if (picture === last && out.columns === columns) return;
      // A terminal that became narrower has wrapped what was drawn, and it takes more rows now.
      const rows =
        out.columns === columns
          ? drawn.length
          : drawn.reduce((sum, line) => sum + rowsOf(line, out.columns), 0);
      const lines = picture.split("\n");
      const up = rows === 0 ? "" : `${ESC}${rows}A`;
      const fresh = lines.map((line) => `${CLEAR_LINE}${line}\n`).join("");
      const begin = last === null ? HIDE_CURSOR : "";
      out.write(
        `${BEGIN}${begin}${NO_WRAP}${up}${fresh}${lines.length < rows ? CLEAR_BELOW : ""}${WRAP}${END}`,
      );
      drawn = lines;
      last = picture;
      columns = out.columns;
    },
    end: () => {
      if (last === null) return;
      last = null;
      drawn = [];
      out.write(SHOW_CURSOR);
    },
  };
}

const rowsOf = (line: string, columns: number | null): number =>
  columns === null ? 1 : Math.max(1, Math.ceil(width(line) / columns));
