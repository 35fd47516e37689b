/**
 * From facts to findings, in transcripts: a sentence, the facts as JSON, then what is found. Members that a block does not
 * name are those of the file's first block; facts with a `kind` are whole.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Facts, JUDGES, judge, type Sight } from "../../../agent/doctor/judge.ts";
import { findingLines, summary } from "../../../agent/doctor/text.ts";
import { Finding, MAX_FINDINGS } from "../../../protocol/finding.ts";
import { parse } from "../../../protocol/parse.ts";

const DIR = join(import.meta.dirname, "../../testdata/doctor");
const FILES = readdirSync(DIR).filter((name) => name.endsWith(".txt"));

/** Writes down what is found for every block of a transcript. */
function play(check: keyof Facts, text: string): { text: string; findings: Finding[] } {
  const findings: Finding[] = [];
  let first: object | null = null;
  const blocks = text.split(/\n\n(?=# )/).map((block) => {
    const [given = ""] = block.split(/\n----(?:\n|$)/);
    const title = given.split("\n").filter((line) => line.startsWith("# "));
    const json = given
      .split("\n")
      .filter((line) => !line.startsWith("# "))
      .join("\n");
    const named = JSON.parse(json) as object;
    first ??= named;
    const facts = "kind" in named ? named : { ...first, ...named };
    const found = (JUDGES[check] as (facts: unknown) => Finding[])(facts);
    findings.push(...found);
    return [...title, json.trim(), "----", ...findingLines(found)].join("\n").trimEnd();
  });
  return { text: `${blocks.join("\n\n")}\n`, findings };
}

/** `REWRITE=1` writes down what is found now; read the difference before you keep it. */
describe("the doctor's judgement, in transcripts", () => {
  it.each(FILES)("%s", (name) => {
    const path = join(DIR, name);
    const before = readFileSync(path, "utf8");
    const { text, findings } = play(name.replace(/\.txt$/, "") as keyof Facts, before.trim());
    if (process.env.REWRITE === "1") writeFileSync(path, text);
    expect(text).toBe(readFileSync(path, "utf8"));
    for (const each of findings) {
      expect(parse(Finding, each, "The finding")).toMatchObject({ ok: true });
      // Whoever is told that something is wrong is told what to do.
      expect([each.code, each.hint !== null]).toEqual([each.code, each.level !== "ok"]);
    }
  });

  it("has a transcript for every check, and no other", () => {
    expect(FILES.map((name) => name.replace(/\.txt$/, "")).sort()).toEqual(Object.keys(JUDGES).sort());
  });
});

describe("a look that came to nothing", () => {
  const late = Object.fromEntries(
    Object.keys(JUDGES).map((check) => [check, { kind: "late", afterMs: 10_000 }]),
  ) as unknown as Sight;

  it("is a problem of its own, for every check", () => {
    const found = judge(late);
    expect(found.map(({ check }) => check)).toEqual(Object.keys(JUDGES));
    expect(new Set(found.map(({ code, level }) => `${level} ${code}`))).toEqual(
      new Set(["problem check-late"]),
    );
    expect(summary(found)).toBe(`${found.length} problems`);
  });

  it("never makes more findings than a frame holds", () => {
    const entry = {
      build: { version: "1.0.0", buildHash: "a".repeat(64) },
      reason: { code: "x", message: "x" },
      at: 1,
      provisional: false,
      by: "agent" as const,
    };
    const builds = {
      kind: "seen",
      facts: {
        journal: { kind: "missing" },
        dist: { link: null, placed: null },
        backup: { link: null, placed: null },
        quarantine: Array.from({ length: 400 }, () => entry),
      },
    } as const;
    expect(judge({ ...late, builds })).toHaveLength(MAX_FINDINGS);
  });
});
