import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { codeSpans, type Page, ROOT, readPages } from "./pages.ts";

/** Folders at the top that hold what people wrote. */
async function topFolders(): Promise<string[]> {
  const entries = await readdir(ROOT, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map(({ name }) => name)
    .filter((name) => name !== "node_modules" && name !== "build");
}

/**
 * Which of the spans name something of the repository: a path that begins with a top folder, or any source file.
 * Paths of a node (`state/trial/`) and code are none.
 */
const pathsIn = (spans: readonly string[], rooms: readonly string[]): readonly string[] =>
  spans.filter(
    (span) =>
      (/^[\w.-]+(\/[\w.-]+)*\/?$/.test(span) &&
        span.includes("/") &&
        rooms.includes(span.split("/")[0] ?? "")) ||
      /^[\w./-]+\.tsx?$/.test(span),
  );

describe("docs/ARCHITECTURE.md", () => {
  let page: Page;
  let rooms: readonly string[];
  beforeAll(async () => {
    rooms = await topFolders();
    page = (await readPages()).find(({ path }) => path === "docs/ARCHITECTURE.md") ?? { path: "", text: "" };
  });

  it("names only paths that are there", () => {
    const named = pathsIn(codeSpans(page.text), rooms);
    expect(named.length).toBeGreaterThan(40);
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it("mentions every room of the house", () => {
    const spans = codeSpans(page.text);
    expect(rooms.filter((room) => !spans.includes(`${room}/`))).toEqual([]);
  });

  it("mentions every room inside of the agent and of the coordinator", async () => {
    const spans = codeSpans(page.text);
    const inner = await Promise.all(
      ["agent", "server-stub"].map(async (room) =>
        (await readdir(join(ROOT, room), { withFileTypes: true }))
          .filter((entry) => entry.isDirectory())
          .map(({ name }) => `${room}/${name}/`),
      ),
    );
    expect(inner.flat().filter((room) => !spans.includes(room))).toEqual([]);
  });

  it("is checked for what looks like a path, and for nothing else", () => {
    const spans = [
      "agent/core/",
      "main.ts",
      "state/trial/",
      "npm ci",
      "agent/core/*.ts",
      "releases/B",
      "GET /v1/x",
    ];
    expect(pathsIn(spans, ["agent"])).toEqual(["agent/core/", "main.ts"]);
  });
});
