import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";

const DIR = join(import.meta.dirname, "../testdata/cli");

/** What is shown is what `tests/testdata/cli/NAME.txt` holds; `REWRITE=1` writes it anew. */
export async function expectPage(name: string, text: string): Promise<void> {
  const file = join(DIR, `${name}.txt`);
  const shown = `${text.trimEnd()}\n`;
  if (process.env.REWRITE === "1") await writeFile(file, shown);
  expect(shown).toBe(await readFile(file, "utf8"));
}

/** Pages under their titles. */
export const sections = (parts: readonly (readonly [string, string])[]): string =>
  parts.map(([title, text]) => `=== ${title}\n${text}`).join("\n\n");
