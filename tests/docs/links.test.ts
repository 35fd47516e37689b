import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { anchorsIn, linksIn, type Page, ROOT, readPages } from "./pages.ts";

const isOutside = (link: string): boolean => /^[a-z]+:/.test(link);

/** Links of a page that lead nowhere. */
async function broken({ path, text }: Page): Promise<string[]> {
  const dead: string[] = [];
  for (const link of linksIn(text).filter((each) => !isOutside(each))) {
    const [file = "", anchor] = link.split("#");
    const target = file === "" ? path : join(dirname(path), file);
    if (!existsSync(join(ROOT, target))) dead.push(`${path}: ${link}`);
    else if (anchor !== undefined) {
      const there = file === "" ? text : await readFile(join(ROOT, target), "utf8");
      if (!anchorsIn(there).includes(anchor)) dead.push(`${path}: ${link}`);
    }
  }
  return dead;
}

/** Pages that comments and messages of the sources name by their path. */
async function pagesNamedBelow(folders: readonly string[]): Promise<readonly string[]> {
  const named = new Set<string>();
  for (const folder of folders) {
    for (const name of await readdir(join(ROOT, folder), { recursive: true })) {
      if (!/\.tsx?$/.test(name)) continue;
      const text = await readFile(join(ROOT, folder, name), "utf8");
      for (const [page] of text.matchAll(/\bdocs\/[\w/-]+\.md\b/g)) named.add(page);
    }
  }
  return [...named].sort();
}

describe("links between the pages", () => {
  let pages: readonly Page[];
  beforeAll(async () => {
    pages = await readPages();
  });

  it("are found", () => {
    expect(pages.map(({ path }) => path)).toEqual(
      expect.arrayContaining(["README.md", "docs/ARCHITECTURE.md"]),
    );
    expect(pages.flatMap(({ text }) => linksIn(text)).length).toBeGreaterThan(20);
  });

  it("lead to files, and to headings, that are there", async () => {
    expect((await Promise.all(pages.map(broken))).flat()).toEqual([]);
  });

  it("show every picture that there is, and none that is large", async () => {
    const shown = pages.flatMap(({ path, text }) => linksIn(text).map((link) => join(dirname(path), link)));
    const pictures = (await readdir(join(ROOT, "docs/images")))
      .filter((name) => /\.(png|svg)$/.test(name))
      .map((name) => `docs/images/${name}`);
    expect(pictures.filter((path) => !shown.includes(path))).toEqual([]);
    const sizes = await Promise.all(
      pictures.map(async (path) => ({ path, bytes: (await stat(join(ROOT, path))).size })),
    );
    expect(sizes.filter(({ bytes }) => bytes > 150_000)).toEqual([]);
  });

  it("reach every decision from its index", () => {
    const index = pages.find(({ path }) => path === "docs/adr/README.md");
    const decisions = pages.map(({ path }) => path).filter((path) => /^docs\/adr\/\d/.test(path));
    const linked = linksIn(index?.text ?? "").map((link) => join("docs/adr", link));
    expect(decisions.filter((path) => !linked.includes(path))).toEqual([]);
  });

  it("lead from the sources to pages that are there", async () => {
    const named = await pagesNamedBelow(["protocol", "agent", "server-stub", "cli", "packaging", "bench"]);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((page) => !existsSync(join(ROOT, page)))).toEqual([]);
  });

  it("would be missed when they lead nowhere", async () => {
    const planted =
      "[a](nowhere.md) [b](#no-such-heading) [c](../README.md) [d](https://example.org/x) `[e](f.md)`";
    const dead = await broken({ path: "docs/planted.md", text: planted.replace("`[e](f.md)`", "") });
    expect(dead).toEqual(["docs/planted.md: nowhere.md", "docs/planted.md: #no-such-heading"]);
  });
});
