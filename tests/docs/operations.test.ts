import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { Alert } from "../../protocol/alert.ts";
import { FLEET_LOCK_KINDS } from "../../protocol/fleet-lock.ts";
import { DENIALS } from "../../protocol/lease.ts";
import { PROBLEM_STATUS } from "../../protocol/problem.ts";
import { firstColumn, ROOT, readPages } from "./pages.ts";

/** Codes that the sources of a folder give as a reason or a fault. Those of a bundle are explained together. */
const codesIn = (text: string): readonly string[] =>
  [...text.matchAll(/(?:code: |because\(|refused\(|found\(|fault\()"([a-z]+(?:-[a-z]+)*)"/g)]
    .map((match) => match[1] ?? "")
    .filter((code) => !code.startsWith("bundle-"));

async function codesBelow(folder: string): Promise<readonly string[]> {
  const names = await readdir(join(ROOT, folder), { recursive: true });
  const files = names.filter((name) => name.endsWith(".ts"));
  const texts = await Promise.all(files.map((name) => readFile(join(ROOT, folder, name), "utf8")));
  return [...new Set(texts.flatMap(codesIn))].sort();
}

/** Codes by which the coordinator says of a rollout, a stage or a node why it is where it is. */
async function reasonsIn(...folders: readonly string[]): Promise<readonly string[]> {
  const texts = await Promise.all(
    folders.map(async (folder) => {
      const names = (await readdir(join(ROOT, folder))).filter((name) => name.endsWith(".ts"));
      return Promise.all(names.map((name) => readFile(join(ROOT, folder, name), "utf8")));
    }),
  );
  const codes = [...texts.flat().join("\n").matchAll(REASON)].flatMap(([, ...found]) => found);
  return [...new Set(codes.filter((code) => code !== undefined))].sort();
}

const REASON =
  /\b(?:because|gone)\(\s*(?:\w+ === "\w+" \? |isOver \? )?"([a-z-]+)"(?: : "([a-z-]+)")?|^export const [A-Z_]+ = "([a-z]+-[a-z-]+)"/gm;

/** Codes of an agent that no person looks up: they say how an update went well, or that a program has a mistake. */
const NOT_LOOKED_UP = ["confirmed", "swapped", "failed"];

describe("docs/OPERATIONS.md has a row for", () => {
  let explained: ReadonlySet<string>;
  beforeAll(async () => {
    const page = (await readPages()).find(({ path }) => path === "docs/OPERATIONS.md");
    explained = new Set(firstColumn(page?.text ?? ""));
  });
  const missing = (codes: readonly string[]) => codes.filter((code) => !explained.has(code));

  it("every denial of a lease", () => {
    expect(missing(DENIALS)).toEqual([]);
  });

  it("every kind that a FleetLock client is refused with", () => {
    expect(missing(Object.keys(FLEET_LOCK_KINDS))).toEqual([]);
  });

  it("every kind of alert", () => {
    const kinds = Alert.properties.kind.anyOf.map((kind) => kind.const);
    expect(kinds.length).toBeGreaterThan(3);
    expect(missing(kinds)).toEqual([]);
  });

  it("every code that the API refuses with", () => {
    expect(missing(Object.keys(PROBLEM_STATUS))).toEqual([]);
  });

  it("every code that an agent gives as a reason or a fault", async () => {
    const codes = await codesBelow("agent");
    expect(codes.length).toBeGreaterThan(60);
    expect(missing(codes.filter((code) => !NOT_LOOKED_UP.includes(code)))).toEqual([]);
  });

  it("every reason of a rollout, its stages and its nodes", async () => {
    const codes = await reasonsIn("server-stub/core/rollout", "server-stub/service");
    expect(codes.length).toBeGreaterThan(30);
    expect(codes).toEqual(expect.arrayContaining(["engine-fault", "moved-on", "went-back", "group-stopped"]));
    expect(missing(codes)).toEqual([]);
  });

  it("everything that agent doctor may find amiss", async () => {
    const names = await readdir(join(ROOT, "tests/testdata/doctor"));
    const texts = await Promise.all(
      names.map((name) => readFile(join(ROOT, "tests/testdata/doctor", name), "utf8")),
    );
    const codes = [...texts.join("\n").matchAll(/^(?:warning|PROBLEM) .*\(([a-z-]+)\)$/gm)];
    expect(codes.length).toBeGreaterThan(50);
    expect(missing([...new Set(codes.map((match) => match[1] ?? "")), "check-late", "check-failed"])).toEqual(
      [],
    );
  });

  it("every code that the guard and the launcher print", async () => {
    const scripts = await Promise.all(
      ["agent-guard", "agent-launch"].map((name) => readFile(join(ROOT, "packaging/guard", name), "utf8")),
    );
    const codes = [...scripts.join("\n").matchAll(/^\s*(?:.*\|\| )?(?:say|fail) ([a-z]+(?:-[a-z]+)*) "/gm)];
    expect(codes.length).toBeGreaterThan(15);
    expect(missing([...new Set(codes.map((match) => match[1] ?? ""))])).toEqual([]);
  });

  it("nothing that is not in the first column of a table", () => {
    expect(codesIn('err({ code: "a-b" }) because("c", x) code: "bundle-d" "e"')).toEqual(["a-b", "c"]);
    expect(firstColumn("| `a`, `b` | `c` |\n`d`\n```\n| `e` |\n```\n")).toEqual(["a", "b"]);
  });
});
