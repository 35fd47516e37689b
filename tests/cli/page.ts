import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const DIR = join(import.meta.dirname, "../testdata/cli");

/** What `tests/testdata/cli/NAME.txt` holds; with `REWRITE=1` it holds what is shown now. */
export async function page(name: string, shown: string): Promise<string> {
  const file = join(DIR, `${name}.txt`);
  if (process.env.REWRITE === "1") await writeFile(file, shown);
  return readFile(file, "utf8");
}

/** Pages under their titles. */
export const sections = (parts: readonly (readonly [string, string])[]): string =>
  `${parts.map(([title, text]) => `=== ${title}\n${text.trimEnd()}`).join("\n\n")}\n`;
