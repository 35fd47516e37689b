/** What lies in a directory, as a value: to be kept, compared, and laid out again elsewhere. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";

export type Entry =
  | { readonly kind: "file"; readonly data: Buffer; readonly mode: number }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "directory"; readonly mode: number };

/** By path relative to the root; a directory comes before what is in it. */
export type Tree = ReadonlyMap<string, Entry>;

export function readTree(root: string): Map<string, Entry> {
  const tree = new Map<string, Entry>();
  const walk = (prefix: string): void => {
    for (const name of fs.readdirSync(join(root, prefix)).sort()) {
      const path = prefix === "" ? name : `${prefix}/${name}`;
      const stat = fs.lstatSync(join(root, path));
      const mode = stat.mode & 0o7777;
      if (stat.isSymbolicLink()) {
        tree.set(path, { kind: "link", target: fs.readlinkSync(join(root, path)) });
      } else if (stat.isDirectory()) {
        tree.set(path, { kind: "directory", mode });
        walk(path);
      } else tree.set(path, { kind: "file", data: fs.readFileSync(join(root, path)), mode });
    }
  };
  walk("");
  return tree;
}

/** Lays it out in an empty directory. */
export function writeTree(tree: Tree, root: string): void {
  for (const [path, entry] of tree) {
    const at = join(root, path);
    if (entry.kind === "directory") fs.mkdirSync(at, { mode: entry.mode });
    else if (entry.kind === "link") fs.symlinkSync(entry.target, at);
    else fs.writeFileSync(at, entry.data, { mode: entry.mode });
  }
}

/** Equal for equal trees; random names in them do not count. */
export function digest(tree: Tree): string {
  const hash = createHash("sha1");
  for (const [path, entry] of tree) {
    const what =
      entry.kind === "file"
        ? `${entry.mode} ${contentHash(entry.data)}`
        : entry.kind === "link"
          ? entry.target
          : entry.mode;
    hash.update(`${entry.kind} ${path} ${what}\n`.replace(RANDOM, "set-ID"));
  }
  return hash.digest("base64");
}

const RANDOM = /set-[0-9a-f-]{36}/g;

const hashes = new WeakMap<Buffer, string>();

/** Contents are shared by thousands of trees, and hashed once. */
function contentHash(data: Buffer): string {
  let known = hashes.get(data);
  if (known === undefined) {
    known = createHash("sha1").update(data).digest("base64");
    hashes.set(data, known);
  }
  return known;
}

export const textAt = (tree: Tree, path: string): string | null => {
  const entry = tree.get(path);
  return entry?.kind === "file" ? entry.data.toString() : null;
};

export const linkAt = (tree: Tree, path: string): string | null => {
  const entry = tree.get(path);
  return entry?.kind === "link" ? entry.target : null;
};
