/** Text that has to fit into so many columns. */
import { pad, width } from "./table.ts";

const ESC = "\u001b";

/** Cut to `columns`, with an ellipsis where something is missing; colours are kept and ended. */
export function cut(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let room = Math.max(0, columns - 1);
  let out = "";
  let inColor = false;
  for (const character of text) {
    if (character === ESC) inColor = true;
    if (inColor) {
      out += character;
      inColor = character !== "m";
    } else if (room > 0) {
      room--;
      out += room === 0 ? `${character}…` : character;
    }
  }
  return out;
}

/** `left`, and `right` at the right edge; `right` goes first when there is no room for both. */
export function edges(left: string, right: string, columns: number): string {
  const gap = columns - width(left) - width(right);
  if (right === "" || gap < 2) return cut(left, columns);
  return `${pad(left, columns - width(right))}${right}`;
}

/** Words in lines of at most `columns`, the last of at most `most` cut. */
export function wrapWords(text: string, columns: number, most: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && width(line) + 1 + width(word) > columns) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  lines.push(line);
  if (lines.length <= most) return lines.map((each) => cut(each, columns));
  return [...lines.slice(0, most - 1), cut(lines.slice(most - 1).join(" "), columns)];
}

/** Parts joined by `separator`, in as few lines as they fit into. */
export function flow(parts: readonly string[], separator: string, columns: number): readonly string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && width(last) + width(separator) + width(part) <= columns) {
      lines[lines.length - 1] = `${last}${separator}${part}`;
    } else lines.push(cut(part, columns));
  }
  return lines;
}
