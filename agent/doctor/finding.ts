import type { Finding, FindingLevel } from "../../protocol/finding.ts";

const MAX_TEXT = 2_000;
const short = (text: string) => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text);

/** Makes the findings of one check. `warning` and `problem` always say what to do. */
export function findingsOf(check: string) {
  const make = (level: FindingLevel, code: string, message: string, hint: string | null): Finding => ({
    check,
    code,
    level,
    message: short(message),
    hint: hint === null ? null : short(hint),
  });
  return {
    ok: (code: string, message: string) => make("ok", code, message, null),
    warning: (code: string, message: string, hint: string) => make("warning", code, message, hint),
    problem: (code: string, message: string, hint: string) => make("problem", code, message, hint),
  };
}
