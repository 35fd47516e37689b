/**
 * Knows a heartbeat that is, letter by letter, one that came before it under another number: nearly all of them are, and
 * need not be read then.
 */
import type { Heartbeat } from "../../protocol/frames.ts";

/** A heartbeat that was read, and its text before and behind its number. */
export type Words = { readonly frame: Heartbeat; readonly head: string; readonly tail: string };

const NUMBER = '"seq":';

/**
 * Null for a text that does not write its number in the way of `JSON.stringify`. Inside a string of JSON its name cannot
 * stand like that, since the quotes have backslashes there; and of two numbers the one that was read counts.
 */
export function wordsOf(text: string, frame: Heartbeat): Words | null {
  const at = text.indexOf(NUMBER) + NUMBER.length;
  const digits = `${frame.seq}`;
  if (at < NUMBER.length || !text.startsWith(digits, at) || !/[,}]/.test(text.charAt(at + digits.length))) {
    return null;
  }
  return { frame, head: text.slice(0, at), tail: text.slice(at + digits.length) };
}

/** The number in a text that otherwise says the same; null when it says anything else. */
export function numberIn(text: string, { head, tail }: Words): number | null {
  const end = text.length - tail.length;
  // Pieces that are compared whole: `startsWith` goes letter by letter, and takes five times as long.
  if (end <= head.length || text.slice(0, head.length) !== head || text.slice(end) !== tail) return null;
  const digits = text.slice(head.length, end);
  return /^[1-9]\d{0,14}$/.test(digits) ? Number(digits) : null;
}
