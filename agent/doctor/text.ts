import type { Finding } from "../../protocol/finding.ts";

const MARKS = { ok: "ok", warning: "warning", problem: "PROBLEM" } as const;

/** Findings as a person reads them, worst first within each check; one line each, and one for what to do. */
export function findingLines(findings: readonly Finding[]): string[] {
  return findings.flatMap(({ check, code, level, message, hint }) => [
    `${MARKS[level].padEnd(8)}${check.padEnd(13)}${message}${level === "ok" ? "" : ` (${code})`}`,
    ...(hint === null ? [] : [`${" ".repeat(21)}${hint}`]),
  ]);
}

/** "2 problems, 1 warning", "nothing wrong". */
export function summary(findings: readonly Finding[]): string {
  const count = (level: Finding["level"], one: string) => {
    const found = findings.filter((each) => each.level === level).length;
    return found === 0 ? [] : [`${found} ${one}${found === 1 ? "" : "s"}`];
  };
  const said = [...count("problem", "problem"), ...count("warning", "warning")];
  return said.length === 0 ? "nothing wrong" : said.join(", ");
}

export const isWell = (findings: readonly Finding[]): boolean =>
  findings.every(({ level }) => level !== "problem");
