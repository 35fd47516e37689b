import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Report } from "../proof/report.ts";
import { codeSpans, ROOT } from "./pages.ts";
import { figures, whyNotFull } from "./proof-figures.ts";

const PAGE = join(ROOT, "docs/PROOF.md");
const BLOCK = /(<!-- figures: ([\w-]+) -->\n)[\s\S]*?(\n<!-- end -->)/g;

const withFigures = (page: string, blocks: Readonly<Record<string, string>>): string =>
  page.replace(BLOCK, (_, before: string, name: string, after: string) => {
    const block = blocks[name];
    if (block === undefined) throw new Error(`there are no figures about ${name}`);
    return `${before}${block}${after}`;
  });

/** What the sources below a folder call the rules that they hold others to. */
async function rulesIn(folder: string, say: RegExp): Promise<readonly string[]> {
  const names = (await readdir(join(ROOT, folder), { recursive: true })).filter((name) =>
    name.endsWith(".ts"),
  );
  const texts = await Promise.all(names.map((name) => readFile(join(ROOT, folder, name), "utf8")));
  return [...new Set(texts.flatMap((text) => [...text.matchAll(say)].map(([, rule = ""]) => rule)))].sort();
}

describe("docs/PROOF.md", () => {
  let page: string;
  beforeAll(async () => {
    page = await readFile(PAGE, "utf8");
  });

  it("has the figures that the suites go by (REWRITE=1 writes them anew)", async () => {
    const blocks = await figures();
    const current = withFigures(page, blocks);
    if (process.env.REWRITE === "1") await writeFile(PAGE, current);
    const named = [...page.matchAll(BLOCK)].map(([, , name]) => name);
    expect(new Set(named)).toEqual(new Set(Object.keys(blocks)));
    expect(named.length).toBe(Object.keys(blocks).length);
    expect(await readFile(PAGE, "utf8")).toBe(current);
  });

  it("counts what is there: no list is read as empty", async () => {
    for (const [name, block] of Object.entries(await figures()))
      expect({ name, isCounted: block !== "" && !/\| 0 \|(\n|$)|NaN|undefined/.test(block) }).toEqual({
        name,
        isCounted: true,
      });
  });

  it("names every rule of the simulation and of the exploration, and no other", async () => {
    const simulated = await rulesIn("tests/simulation", /new Violation\(\s*"([^"]+)"/g);
    const explored = await rulesIn("tests/exploration", /(?:violated\(|found\(stuck, null,)\s*"([^"]+)"/g);
    const named = (column: number) =>
      [...page.matchAll(/^\| .* \|$/gm)]
        .flatMap(([row]) => [...(row.split("|")[column] ?? "").matchAll(/`([^`]+)`/g)])
        .map(([, rule = ""]) => rule);
    expect(simulated.filter((rule) => !named(2).includes(rule))).toEqual([]);
    expect(explored.filter((rule) => !named(3).includes(rule))).toEqual([]);
    const [, rules = ""] = /## What must hold\n([\s\S]*?)\n## /.exec(page) ?? [];
    const known = [...simulated, ...explored];
    const inTable = [...rules.matchAll(/^\|[^|]*\|([^|]*)\|([^|]*)\|/gm)].flatMap(
      ([, two = "", three = ""]) => [...`${two}${three}`.matchAll(/`([^`]+)`/g)].map(([, rule = ""]) => rule),
    );
    expect(inTable.filter((rule) => !known.includes(rule))).toEqual([]);
  });

  it("names only files and folders that are there", () => {
    const paths = codeSpans(page).filter((span) =>
      /^(tests|agent|server-stub|packaging|docs)\/[\w./-]+$/.test(span),
    );
    expect(paths.length).toBeGreaterThan(10);
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

describe("a run in full", () => {
  const part = { name: "a", passed: 1, failed: 0, seconds: 1, peakBytes: 1 };
  const full: Report = {
    shard: { index: 1, of: 1 },
    endedAt: "2026-01-01T00:00:00.000Z",
    commit: "0123456789",
    passed: 1,
    failed: 0,
    parts: [part],
  };

  it.each<[string, Partial<Report>, string | null]>([
    ["everything, of a commit", {}, null],
    ["a shard", { shard: { index: 1, of: 12 } }, "it is shard 1 of 12"],
    ["a failure", { failed: 2 }, "2 failed"],
    ["a part left out", { parts: [] }, "a did not run"],
    ["changes that are in no commit", { commit: "0123456789+" }, "it is of no commit"],
  ])("%s", (_, changed, why) => {
    expect(whyNotFull({ ...full, ...changed }, ["a"])).toBe(why);
  });
});
