/** Reads the pages of the project: all its Markdown, and what is in it. Pure but for `readPages`. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export type Page = { readonly path: string; readonly text: string };

export const ROOT = join(import.meta.dirname, "../..");

/** Every Markdown file of the project, by its path from the root. */
export async function readPages(root: string = ROOT): Promise<readonly Page[]> {
  const found: string[] = [];
  const walk = async (dir: string): Promise<void> => {
    for (const entry of await readdir(join(root, dir), { withFileTypes: true })) {
      const path = join(dir, entry.name);
      if (entry.isDirectory() && !["node_modules", "build", ".git"].includes(entry.name)) await walk(path);
      else if (entry.isFile() && entry.name.endsWith(".md")) found.push(path);
    }
  };
  await walk("");
  return Promise.all(
    found.sort().map(async (path) => ({ path, text: await readFile(join(root, path), "utf8") })),
  );
}

/** The page without its fenced blocks, which hold examples and no links. */
export const prose = (text: string): string => text.replace(/^( *)```[\s\S]*?^\1```$/gm, "");

/** What is in backticks, once each. */
export const codeSpans = (text: string): readonly string[] => [
  ...new Set([...prose(text).matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? "")),
];

/** Targets of links and images, as written; of images by light and by dark as well. */
export const linksIn = (text: string): readonly string[] =>
  [...prose(text).matchAll(/\]\(([^()\s]+)\)|\b(?:src|srcset)="([^"\s]+)"/g)].map(
    ([, link, picture]) => link ?? picture ?? "",
  );

/** Names by which the headings of a page can be linked to, as GitHub makes them. */
export const anchorsIn = (text: string): readonly string[] =>
  [...prose(text).matchAll(/^#+ (.*)$/gm)].map((match) =>
    (match[1] ?? "")
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );

/** Codes that the first column of the page's tables holds in backticks; a cell may hold several. */
export const firstColumn = (text: string): readonly string[] =>
  prose(text)
    .split("\n")
    .flatMap((line) => /^\|([^|]*)\|/.exec(line)?.[1] ?? [])
    .flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ""));
