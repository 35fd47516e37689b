/**
 * A file system in memory as a kernel has it: what programs see at once, and what would be left after a power cut.
 * Names last when their directory was synced, contents when their file was; what was not synced is lost, kept, or
 * torn, each on its own, and so comes back in another order than it was written.
 */
import type { Random } from "./random.ts";

export type FileNode = {
  readonly kind: "file";
  content: Buffer;
  /** As it was synced last; null before that. */
  durable: Buffer | null;
  mode: number;
  changedAt: number;
};
export type LinkNode = { readonly kind: "link"; readonly target: string };
export type DirNode = {
  readonly kind: "dir";
  readonly entries: Map<string, TreeNode>;
  readonly durable: Map<string, TreeNode>;
  mode: number;
};
export type TreeNode = FileNode | LinkNode | DirNode;

type Assignment = { readonly dir: DirNode; readonly name: string; readonly node: TreeNode | null };
/** One change of names, which lasts or is lost as a whole. */
type Pending = { assignments: Assignment[] };

export type PowerCut = "all-lost" | "all-kept" | "some-lost";

const MAX_LINKS = 8;

export class Tree {
  readonly root: DirNode = newDir();
  #pending: Pending[] = [];
  /** Files that have something which is not synced. */
  readonly #dirty = new Set<FileNode>();

  /** What is at a path; `follow`: also when the last part is a link. */
  find(path: string, follow: boolean): TreeNode | null {
    const walked = this.#walk(path, follow, 0);
    return walked.node;
  }

  /** What is at a path, or the system's error. */
  get(path: string, follow: boolean): TreeNode {
    const { node, error } = this.#walk(path, follow, 0);
    if (node === null) throw systemError(error, path);
    return node;
  }

  dirOf(path: string): { readonly dir: DirNode; readonly name: string } {
    const cut = path.lastIndexOf("/");
    const parent = this.get(cut === 0 ? "/" : path.slice(0, cut), true);
    if (parent.kind !== "dir") throw systemError("ENOTDIR", path);
    return { dir: parent, name: path.slice(cut + 1) };
  }

  create(path: string, node: TreeNode): void {
    const { dir, name } = this.dirOf(path);
    if (dir.entries.has(name)) throw systemError("EEXIST", path);
    this.#change([{ dir, name, node }]);
    if (node.kind === "file") this.#dirty.add(node);
  }

  unlink(path: string): void {
    const { dir, name } = this.dirOf(path);
    const node = dir.entries.get(name);
    if (node === undefined) throw systemError("ENOENT", path);
    if (node.kind === "dir") throw systemError("EISDIR", path);
    this.#change([{ dir, name, node: null }]);
  }

  rename(from: string, to: string): void {
    const source = this.dirOf(from);
    const target = this.dirOf(to);
    const node = source.dir.entries.get(source.name);
    if (node === undefined) throw systemError("ENOENT", from);
    const there = target.dir.entries.get(target.name);
    if (there?.kind === "dir" && node.kind !== "dir") throw systemError("EISDIR", to);
    if (there !== undefined && there.kind !== "dir" && node.kind === "dir") throw systemError("ENOTDIR", to);
    if (there?.kind === "dir" && there.entries.size > 0) throw systemError("ENOTEMPTY", to);
    this.#change([
      { dir: source.dir, name: source.name, node: null },
      { dir: target.dir, name: target.name, node },
    ]);
  }

  /** Some of what lies in a directory, as a removal that was cut short leaves it. */
  removeSome(path: string, random: Random): void {
    const node = this.find(path, false);
    if (node?.kind !== "dir") return;
    for (const name of node.entries.keys()) if (random.chance(0.5)) this.remove(`${path}/${name}`);
  }

  /** A tree, or whatever is there; nothing is fine. */
  remove(path: string): void {
    const node = this.find(path, false);
    if (node === null) return;
    const { dir, name } = this.dirOf(path);
    const empty = (each: DirNode): void => {
      for (const [inner, child] of each.entries) {
        if (child.kind === "dir") empty(child);
        this.#change([{ dir: each, name: inner, node: null }]);
      }
    };
    if (node.kind === "dir") empty(node);
    this.#change([{ dir, name, node: null }]);
  }

  write(file: FileNode, content: Buffer, at: number): void {
    file.content = content;
    file.changedAt = at;
    this.#dirty.add(file);
  }

  sync(node: TreeNode): void {
    if (node.kind === "file") {
      node.durable = node.content;
      this.#dirty.delete(node);
    } else if (node.kind === "dir") {
      const waiting: Pending[] = [];
      for (const pending of this.#pending) {
        if (pending.assignments.some(({ dir }) => dir === node)) this.#makeLast(pending, waiting);
        else waiting.push(pending);
      }
      this.#pending = waiting.filter(({ assignments }) => assignments.length > 0);
    }
  }

  /** The machine loses power: what programs see from here on is what was left. */
  cutPower(random: Random, how: PowerCut): void {
    const kept = (): boolean => how === "all-kept" || (how === "some-lost" && random.chance(0.5));
    const pending = this.#pending;
    this.#pending = [];
    for (const each of pending) if (kept()) this.#makeLast(each, []);
    for (const file of this.#dirty) file.durable = kept() ? file.content : torn(file, random, how);
    this.#dirty.clear();
    this.#return(this.root, new Set());
  }

  /** What would be at a path if the power failed now and nothing was kept that was not synced. */
  durableText(path: string): string | null {
    let node: TreeNode | undefined = this.root;
    for (const part of path.split("/")) {
      if (part === "") continue;
      node = node?.kind === "dir" ? node.durable.get(part) : undefined;
    }
    return node?.kind === "file" ? (node.durable?.toString("utf8") ?? "") : null;
  }

  /** Whether the name could still be something else after a power cut. */
  isUnsure(path: string): boolean {
    const { dir, name } = this.dirOf(path);
    return this.#pending.some(({ assignments }) =>
      assignments.some((each) => each.dir === dir && each.name === name),
    );
  }

  #change(assignments: Assignment[]): void {
    for (const { dir, name, node } of assignments) {
      if (node === null) dir.entries.delete(name);
      else dir.entries.set(name, node);
    }
    this.#pending.push({ assignments });
  }

  /** What is still waiting of the same names was before it, and is of no account any more. */
  #makeLast({ assignments }: Pending, waiting: readonly Pending[]): void {
    for (const { dir, name, node } of assignments) {
      if (node === null) dir.durable.delete(name);
      else dir.durable.set(name, node);
      for (const each of waiting) {
        each.assignments = each.assignments.filter((other) => other.dir !== dir || other.name !== name);
      }
    }
  }

  #return(dir: DirNode, seen: Set<DirNode>): void {
    if (seen.has(dir)) return;
    seen.add(dir);
    dir.entries.clear();
    for (const [name, node] of dir.durable) {
      dir.entries.set(name, node);
      if (node.kind === "dir") this.#return(node, seen);
      if (node.kind === "file") node.content = node.durable ?? Buffer.alloc(0);
    }
  }

  #walk(path: string, follow: boolean, links: number): { node: TreeNode | null; error: string } {
    const parts = partsOf(path);
    let node: TreeNode = this.root;
    let at = "";
    for (let index = 0; index < parts.length; index++) {
      const part = parts[index] ?? "";
      if (node.kind !== "dir") return { node: null, error: "ENOTDIR" };
      const next: TreeNode | undefined = node.entries.get(part);
      if (next === undefined) return { node: null, error: "ENOENT" };
      const isLast = index === parts.length - 1;
      if (next.kind === "link" && (!isLast || follow)) {
        if (links > MAX_LINKS) return { node: null, error: "ELOOP" };
        const target = next.target.startsWith("/") ? next.target : `${at}/${next.target}`;
        return this.#walk([target, ...parts.slice(index + 1)].join("/"), follow, links + 1);
      }
      at = `${at}/${part}`;
      node = next;
    }
    return { node, error: "" };
  }
}

export const newDir = (mode = 0o755): DirNode => ({
  kind: "dir",
  entries: new Map(),
  durable: new Map(),
  mode,
});

export const newFile = (mode: number, at: number): FileNode => ({
  kind: "file",
  content: Buffer.alloc(0),
  durable: null,
  mode,
  changedAt: at,
});

/** As the system's calls fail. */
export const systemError = (code: string, path: string): Error =>
  Object.assign(new Error(`${code}: ${path}`), { code, path });

/** A file whose last writes did not all arrive: as it was, cut off, or with zeros where there should be something. */
function torn(file: FileNode, random: Random, how: PowerCut): Buffer {
  const before = file.durable ?? Buffer.alloc(0);
  if (how === "all-lost" || random.chance(0.4)) return before;
  const cut = random.int(0, file.content.length);
  if (random.chance(0.5)) return file.content.subarray(0, cut);
  return Buffer.concat([file.content.subarray(0, cut), Buffer.alloc(file.content.length - cut)]);
}

const known = new Map<string, readonly string[]>();
function partsOf(path: string): readonly string[] {
  const parts = known.get(path);
  if (parts !== undefined) return parts;
  const fresh = path.split("/").filter((part) => part !== "" && part !== ".");
  if (known.size < 5_000) known.set(path, fresh);
  return fresh;
}
