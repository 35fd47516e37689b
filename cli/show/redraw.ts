import type { Output } from "./output.ts";

const ESC = "\u001b[";
/** Lines that are too long are cut by the terminal and do not wrap: drawing over counts on one row for each. */
const NO_WRAP = `${ESC}?7l`;
const WRAP = `${ESC}?7h`;
const CLEAR_LINE = `\r${ESC}2K`;
const CLEAR_BELOW = `${ESC}J`;

/** A part of the terminal that is drawn over: each picture replaces the one before, without flicker. */
export function screen(out: Output): { show(picture: string): void } {
  let rows = 0;
  let last: string | null = null;
  return {
    show: (picture) => {
      if (picture === last) return;
      last = picture;
      const lines = picture.split("\n");
      const up = rows === 0 ? "" : `${ESC}${rows}A`;
      const drawn = lines.map((line) => `${CLEAR_LINE}${line}\n`).join("");
      out.write(`${NO_WRAP}${up}${drawn}${lines.length < rows ? CLEAR_BELOW : ""}${WRAP}`);
      rows = lines.length;
    },
  };
}
