import { beforeAll, describe, expect, it } from "vitest";
import { Alert } from "../../protocol/alert.ts";
import { DENIALS } from "../../protocol/lease.ts";
import { PROBLEM_STATUS } from "../../protocol/problem.ts";
import { firstColumn, readPages } from "./pages.ts";

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

  it("every kind of alert", () => {
    const kinds = Alert.properties.kind.anyOf.map((kind) => kind.const);
    expect(kinds.length).toBeGreaterThan(3);
    expect(missing(kinds)).toEqual([]);
  });

  it("every code that the API refuses with", () => {
    expect(missing(Object.keys(PROBLEM_STATUS))).toEqual([]);
  });

  it("nothing that is not in the first column of a table", () => {
    expect(firstColumn("| `a`, `b` | `c` |\n`d`\n```\n| `e` |\n```\n")).toEqual(["a", "b"]);
  });
});
