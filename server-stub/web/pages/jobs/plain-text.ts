/**
 * What programs write, as harmless text: what would colour, move or clear a terminal is left out, what would reorder
 * or hide text is shown as what it is. Pure.
 * Source: ECMA-48, 5.4 (control sequences) and 8.3.89 (operating system commands); Unicode UAX 9 and TR 36.
 */
const ESC = 0x1b;
const BEL = 0x07;
const CSI = 0x9b;

/** Overrides, embeddings, isolates and marks of direction, and what has no width. */
const UNSEEN = /[\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

export function plainText(text: string): string {
  let plain = "";
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === ESC || code === CSI) at = afterSequence(text, at);
    else {
      plain += code < 0x20 && code !== 0x09 ? String.fromCharCode(0x2400 + code) : isC1(code) ? "" : text[at];
      at += 1;
    }
  }
  return plain.replace(
    UNSEEN,
    (sign) => `<U+${sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}>`,
  );
}

const isC1 = (code: number): boolean => code >= 0x7f && code <= 0x9f;

/** Where the text goes on after the sequence at `at`; a sequence that never ends takes no more than its beginning. */
function afterSequence(text: string, at: number): number {
  const begun = text.charCodeAt(at) === CSI;
  const kind = text[at + 1];
  if (begun || kind === "[") {
    let end = begun ? at + 1 : at + 2;
    while (end < text.length && isBetween(text.charCodeAt(end), 0x20, 0x3f)) end += 1;
    return isBetween(text.charCodeAt(end), 0x40, 0x7e) ? end + 1 : end;
  }
  // A string for the terminal: its title, a link, a picture.
  if (kind !== undefined && "]PX^_".includes(kind)) {
    for (let end = at + 2; end < text.length; end += 1) {
      if (text.charCodeAt(end) === BEL) return end + 1;
      if (text.charCodeAt(end) === ESC) return text[end + 1] === "\\" ? end + 2 : end;
    }
    return at + 2;
  }
  return Math.min(text.length, at + 2);
}

const isBetween = (code: number, low: number, high: number): boolean => code >= low && code <= high;
