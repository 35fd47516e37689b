/** The two accounts of a disk: each name, and each content, as a process sees it and as it is safe. */
import type { Entry, Tree } from "./tree.ts";

export type FileNode = {
  readonly kind: "file";
  live: Buffer;
  safe: Buffer;
  liveMode: number;
  safeMode: number;
};
export type LinkNode = { readonly kind: "link"; readonly target: string };
export type DirectoryNode = {
  readonly kind: "directory";
  mode: number;
  readonly live: Map<string, Node>;
  readonly safe: Map<string, Node>;
};
export type Node = FileNode | LinkNode | DirectoryNode;

/** Names that change together. */
export type Change = readonly {
  readonly directory: DirectoryNode;
  readonly name: string;
  readonly node: Node | null;
}[];

export const newDirectory = (mode: number): DirectoryNode => ({
  kind: "directory",
  mode,
  live: new Map(),
  safe: new Map(),
});

export const newFile = (data: Buffer, mode: number): FileNode => ({
  kind: "file",
  live: data,
  safe: data,
  liveMode: mode,
  safeMode: mode,
});

export function nodeOf(entry: Entry): Node {
  if (entry.kind === "directory") return newDirectory(entry.mode);
  if (entry.kind === "link") return entry;
  return newFile(entry.data, entry.mode);
}

export function locate(root: DirectoryNode, path: string): { directory: DirectoryNode; name: string } {
  const parts = path.split("/");
  const name = parts.pop() ?? "";
  let directory = root;
  for (const part of parts) {
    const next = directory.live.get(part);
    if (next?.kind !== "directory") throw new Error(`${path}: ${part} is no directory`);
    directory = next;
  }
  return { directory, name };
}

export function makeSafe(change: Change): void {
  for (const { directory, name, node } of change) {
    if (node === null) directory.safe.delete(name);
    else directory.safe.set(name, node);
  }
}

export type Content = { data: Buffer; mode: number };

export const isTorn = (file: FileNode): boolean => file.live !== file.safe || file.liveMode !== file.safeMode;

export const torn = (file: FileNode): Content => ({
  data: isTorn(file) ? Buffer.from(file.live.subarray(0, file.live.length >> 1)) : file.live,
  mode: file.safeMode,
});

export const zeros = (file: FileNode): Content => ({
  data: isTorn(file) ? Buffer.alloc(file.live.length) : file.live,
  mode: file.safeMode,
});

export function treeOf(
  root: DirectoryNode,
  names: "live" | "safe",
  content: (file: FileNode) => Content,
): Tree {
  const tree = new Map<string, Entry>();
  const walk = (directory: DirectoryNode, prefix: string): void => {
    const sorted = [...directory[names]].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [name, node] of sorted) {
      const path = `${prefix}${name}`;
      if (node.kind === "link") tree.set(path, node);
      else if (node.kind === "file") tree.set(path, { kind: "file", ...content(node) });
      else {
        tree.set(path, { kind: "directory", mode: node.mode });
        walk(node, `${path}/`);
      }
    }
  };
  walk(root, "");
  return tree;
}
