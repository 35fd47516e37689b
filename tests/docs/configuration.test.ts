import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { defaultConfigText } from "../../agent/config.ts";
import { coordinatorTemplate } from "../../server-stub/settings.ts";
import { ROOT } from "./pages.ts";

const PAGE = join(ROOT, "docs/CONFIGURATION.md");

/** The page with the fenced block under each file's heading replaced by what the package ships. */
const withSettings = (page: string, settings: Readonly<Record<string, string>>): string =>
  Object.entries(settings).reduce(
    (text, [file, toml]) =>
      text.replace(
        new RegExp(`(## ${file.replace(".", "\\.")}\\n[\\s\\S]*?\`\`\`toml\\n)[\\s\\S]*?(\`\`\`)`),
        (_, before: string, after: string) => `${before}${toml.trimEnd()}\n${after}`,
      ),
    page,
  );

describe("docs/CONFIGURATION.md", () => {
  it("shows every setting as the packages ship it (REWRITE=1 writes it anew)", async () => {
    const page = await readFile(PAGE, "utf8");
    const current = withSettings(page, {
      "agent.toml": defaultConfigText(),
      "coordinator.toml": coordinatorTemplate(),
    });
    if (process.env.REWRITE === "1") await writeFile(PAGE, current);
    expect(await readFile(PAGE, "utf8")).toBe(current);
  });

  it("would notice a default that has changed", () => {
    const page = "## a.toml\n\ntext\n\n```toml\nx = 1\n```\n";
    expect(withSettings(page, { "a.toml": "x = 2\n" })).toBe("## a.toml\n\ntext\n\n```toml\nx = 2\n```\n");
  });
});
