import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AUDIENCES, mayCall, PERMISSIONS, type RouteKey } from "../../server-stub/api/permissions.ts";
import { ROOT } from "./pages.ts";

const PAGE = join(ROOT, "docs/SECURITY.md");

/** The permission table as the page shows it. */
function permissionTable(): string {
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const heading = ["", "stranger", "pending node", "node", "viewer", "operator", "admin"];
  const rows = (Object.keys(PERMISSIONS) as RouteKey[]).map((route) =>
    row([`\`${route}\``, ...AUDIENCES.map((audience) => (mayCall(route, audience) ? "●" : ""))]),
  );
  return [row(heading), row(["---", ...AUDIENCES.map(() => ":-:")]), ...rows].join("\n");
}

/** The page with the table under its heading replaced. */
const withTable = (page: string, table: string): string =>
  page.replace(
    /(## Who may call what\n[\s\S]*?\n\n)\|[\s\S]*?(\n\n|$)/,
    (_, before: string, after: string) => {
      return `${before}${table}${after}`;
    },
  );

describe("docs/SECURITY.md", () => {
  it("shows who may call what as the server has it (REWRITE=1 writes it anew)", async () => {
    const page = await readFile(PAGE, "utf8");
    const current = withTable(page, permissionTable());
    expect(current).toContain(permissionTable());
    if (process.env.REWRITE === "1") await writeFile(PAGE, current);
    expect(await readFile(PAGE, "utf8")).toBe(current);
  });

  it("would notice a cell that has changed", () => {
    const page = "## Who may call what\n\ntext\n\n| a | ● |\n\n## Next\n";
    expect(withTable(page, "| a | |")).toBe("## Who may call what\n\ntext\n\n| a | |\n\n## Next\n");
  });
});
