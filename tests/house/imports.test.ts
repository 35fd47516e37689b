import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { cycles, importsOf, readSources, type Sources, wrongDirections } from "./imports.ts";

const root = join(import.meta.dirname, "../..");

describe("the house", () => {
  let sources: Sources;
  beforeAll(async () => {
    sources = await readSources(root);
  });

  it("is read: every room has files, and imports are seen", () => {
    expect(sources.size).toBeGreaterThan(10);
    expect([...sources.values()].flat().length).toBeGreaterThan(10);
  });

  it("imports only in the directions that are allowed", () => {
    expect(wrongDirections(sources)).toEqual([]);
  });

  it("has no cycles", () => {
    expect(cycles(sources)).toEqual([]);
  });
});

describe("the check itself", () => {
  const planted = (file: string, text: string): Sources => new Map([[file, importsOf(file, text)]]);

  it.each([
    ["protocol/a.ts", 'import { x } from "../agent/core/x.ts";'],
    ["agent/core/a.ts", 'import type { Disk } from "../effects/disk.ts";'],
    ["agent/effects/a.ts", 'const x = await import("../main.ts");'],
    ["agent/a.ts", 'export { x } from "../server-stub/core/x.ts";'],
    ["server-stub/core/a.ts", 'import { x } from "../store/x.ts";'],
    ["server-stub/store/a.ts", 'import { x } from "../service/x.ts";'],
    ["server-stub/service/a.ts", 'import { x } from "../main.ts";'],
    ["server-stub/web/pages/a.tsx", 'import { x } from "../../service/x.ts";'],
    ["cli/a.ts", 'import { x } from "../server-stub/service/x.ts";'],
  ])("finds a planted violation in %s", (file, text) => {
    expect(wrongDirections(planted(file, text))).toHaveLength(1);
  });

  it("finds a planted cycle", () => {
    const sources: Sources = new Map([
      ["agent/core/a.ts", ["agent/core/b.ts"]],
      ["agent/core/b.ts", ["agent/core/c.ts"]],
      ["agent/core/c.ts", ["agent/core/a.ts"]],
    ]);
    expect(cycles(sources)).toEqual([
      ["agent/core/a.ts", "agent/core/b.ts", "agent/core/c.ts", "agent/core/a.ts"],
    ]);
  });

  it("sees imports over several lines, of types, and dynamic ones", () => {
    const text =
      'import {\n  type A,\n  b,\n} from "./b.ts";\nimport "./c.ts";\nexport * from "../d.ts";\nawait import("./e.ts");';
    expect(importsOf("agent/core/a.ts", text)).toEqual([
      "agent/core/b.ts",
      "agent/core/c.ts",
      "agent/d.ts",
      "agent/core/e.ts",
    ]);
  });
});
