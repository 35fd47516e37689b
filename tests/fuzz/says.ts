/** What a refusal may look like, whoever reads it: a person at a terminal, a log, a program. */
import type { Result } from "../../protocol/result.ts";

/** Longest sentence that a stranger may have us write. */
const MAX_CHARACTERS = 2_000;
/** What moves a terminal's cursor, or ends a line of a log. */
const CONTROL = /(?!\n)[\p{Cc}\u2028\u2029]/u;
/** A stack, or where the program lies. */
const INSIDES = /\n\s+at .*:\d+|node_modules|file:\/\/|\.ts:\d+/;

/** What is wrong about a text that a stranger's words have led to; null when nothing is. */
export function wrongWords(text: string): string | null {
  if (text.length > MAX_CHARACTERS) return `it has ${text.length} characters`;
  const control = CONTROL.exec(text);
  if (control !== null) return `it has the character ${control[0].charCodeAt(0)}`;
  const inside = INSIDES.exec(text);
  return inside === null ? null : `it tells ${JSON.stringify(inside[0])}`;
}

/** Throws when a refusal says what it must not. */
export function decent(result: Result<unknown, { code: string; message: string; hint?: string }>): void {
  if (result.ok) return;
  const { code, message, hint = "" } = result.error;
  if (!/^[a-z][a-z0-9-]*$/.test(code)) throw new Error(`${code} is no code`);
  if (message === "") throw new Error("it says nothing");
  for (const text of [message, hint]) {
    const wrong = wrongWords(text);
    if (wrong !== null) throw new Error(`${JSON.stringify(text.slice(0, 300))}: ${wrong}`);
  }
}
