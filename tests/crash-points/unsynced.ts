/**
 * What a power cut may leave of a disk. It keeps two accounts of every file and directory: how it is, and what of it
 * is safe, as fsync(2) promises no more than this:
 *
 * - fsync of a file makes its content and mode safe, and not its name.
 * - fsync of a directory makes the names in it safe, and nothing of what they name.
 * - Whatever is not safe may be there or not, each change of a name on its own and in any order; contents may be old,
 *   cut short, or zeros.
 * - A rename is one change, also between two directories.
 *
 * File systems keep more than that, each something else; what holds here holds on all of them.
 * Source: fsync(2), rename(2); Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014.
 */

import {
  type Change,
  type DirectoryNode,
  type FileNode,
  isTorn,
  locate,
  makeSafe,
  type Node,
  newDirectory,
  newFile,
  nodeOf,
  torn,
  treeOf,
  zeros,
} from "./accounts.ts";
import type { Effect } from "./effect.ts";
import type { Tree } from "./tree.ts";

/** What a crash leaves, and how it came about. */
export type Remains = { readonly how: string; readonly reboot: boolean; readonly disk: Unsynced };

const NOTHING = Buffer.alloc(0);

export class Unsynced {
  readonly #root: DirectoryNode;
  #pending: Change[];

  private constructor(root: DirectoryNode, pending: Change[]) {
    this.#root = root;
    this.#pending = pending;
  }

  /** A disk on which everything is safe. */
  static of(tree: Tree): Unsynced {
    const root = newDirectory(0o755);
    for (const [path, entry] of tree) {
      const { directory, name } = locate(root, path);
      const node = nodeOf(entry);
      directory.live.set(name, node);
      directory.safe.set(name, node);
    }
    return new Unsynced(root, []);
  }

  copy(): Unsynced {
    const copies = new Map<Node, Node>();
    const copyOf = (node: Node): Node => {
      const known = copies.get(node);
      if (known !== undefined) return known;
      if (node.kind !== "directory") {
        const copy = node.kind === "link" ? node : { ...node };
        copies.set(node, copy);
        return copy;
      }
      const copy = newDirectory(node.mode);
      copies.set(node, copy);
      for (const [name, child] of node.live) copy.live.set(name, copyOf(child));
      for (const [name, child] of node.safe) copy.safe.set(name, copyOf(child));
      return copy;
    };
    const root = copyOf(this.#root) as DirectoryNode;
    const pending = this.#pending.map((change) =>
      change.map(({ directory, name, node }) => ({
        directory: copyOf(directory) as DirectoryNode,
        name,
        node: node === null ? null : copyOf(node),
      })),
    );
    return new Unsynced(root, pending);
  }

  /** Takes in what was done to the disk. */
  apply(effect: Effect): void {
    switch (effect.kind) {
      case "create":
        this.#name(effect.path, newFile(NOTHING, effect.mode));
        break;
      case "symlink":
        this.#name(effect.path, { kind: "link", target: effect.target });
        break;
      case "mkdir":
        this.#name(effect.path, newDirectory(effect.mode));
        break;
      case "unlink":
      case "rmdir":
        this.#name(effect.path, null);
        break;
      case "rename":
        this.#rename(effect.from, effect.path);
        break;
      case "write": {
        const file = this.#file(effect.path);
        file.live = Buffer.concat([file.live, effect.data]);
        break;
      }
      case "truncate": {
        const file = this.#file(effect.path);
        file.live = Buffer.from(file.live.subarray(0, effect.bytes));
        break;
      }
      case "chmod": {
        const node = this.#at(effect.path);
        if (node.kind === "file") node.liveMode = effect.mode;
        else if (node.kind === "directory") node.mode = effect.mode;
        break;
      }
      case "fsync": {
        const file = this.#file(effect.path);
        file.safe = file.live;
        file.safeMode = file.liveMode;
        break;
      }
      case "fsync-dir":
        this.#syncNames(this.#at(effect.path));
    }
  }

  /** As a process sees it. */
  get tree(): Tree {
    return treeOf(this.#root, "live", (file) => ({ data: file.live, mode: file.liveMode }));
  }

  /** As it is certain to be after a power cut at this moment, if nothing else is written any more. */
  get safeTree(): Tree {
    return treeOf(this.#root, "safe", (file) => ({ data: file.safe, mode: file.safeMode }));
  }

  /** What a link at the top names, to a process. */
  linkAt(name: string): string | null {
    const node = this.#root.live.get(name);
    return node?.kind === "link" ? node.target : null;
  }

  get isSafe(): boolean {
    return this.#pending.length === 0 && ![...this.#files()].some(isTorn);
  }

  /** Everything that a crash at this moment may leave, as far as it differs in kind. */
  remains(): Remains[] {
    const killed = { how: "killed", reboot: false, disk: this };
    const cut = (how: string, tree: Tree): Remains => ({
      how: `power cut, ${how}`,
      reboot: true,
      disk: Unsynced.of(tree),
    });
    if (this.isSafe) return [killed, cut("all was synced", this.tree)];
    const remains = [killed, cut("nothing unsynced is left", this.safeTree)];
    if ([...this.#files()].some(isTorn)) {
      remains.push(
        cut("names are left, contents torn", treeOf(this.#root, "live", torn)),
        cut("names are left, contents zeros", treeOf(this.#root, "live", zeros)),
      );
    } else remains.push(cut("all of it is left", this.tree));
    for (const [nth, change] of this.#pending.entries()) {
      const isEnd = nth === this.#pending.length - 1;
      if (!isEnd && nth > 0) continue;
      const kept = isEnd ? [change] : this.#pending.slice(1);
      if (kept.length === 0 || kept.length === this.#pending.length) continue;
      remains.push(
        cut(isEnd ? "only the last name is left" : "the first name alone is lost", this.#with(kept)),
      );
    }
    return remains;
  }

  /** The same disk in the middle of a write: half of the data is there. */
  halfWritten(path: string, data: Uint8Array): Remains {
    const disk = this.copy();
    disk.apply({ kind: "write", path, data: data.subarray(0, data.length >> 1) });
    return { how: "killed in the middle of it", reboot: false, disk };
  }

  /** What is safe, and of the rest these changes alone, with their contents as they are. */
  #with(changes: readonly Change[]): Tree {
    const copy = this.copy();
    const nth = new Set(changes.map((change) => this.#pending.indexOf(change)));
    for (const [index, change] of copy.#pending.entries()) if (nth.has(index)) makeSafe(change);
    return treeOf(copy.#root, "safe", (file) => ({ data: file.live, mode: file.liveMode }));
  }

  #name(path: string, node: Node | null): void {
    this.#change([{ ...locate(this.#root, path), node }]);
  }

  #rename(from: string, to: string): void {
    const before = locate(this.#root, from);
    const node = before.directory.live.get(before.name) ?? null;
    this.#change([
      { ...before, node: null },
      { ...locate(this.#root, to), node },
    ]);
  }

  #change(change: Change): void {
    for (const { directory, name, node } of change) {
      if (node === null) directory.live.delete(name);
      else directory.live.set(name, node);
    }
    this.#pending.push(change);
  }

  #syncNames(directory: Node): void {
    const rest: Change[] = [];
    for (const change of this.#pending) {
      if (!change.some((part) => part.directory === directory)) rest.push(change);
      else {
        makeSafe(change);
        // An older change of the same name elsewhere in the queue has been overtaken.
        for (const part of change) {
          for (const [index, older] of rest.entries()) {
            rest[index] = older.filter(
              (each) => each.directory !== part.directory || each.name !== part.name,
            );
          }
        }
      }
    }
    this.#pending = rest.filter((change) => change.length > 0);
  }

  *#files(node: Node = this.#root, seen = new Set<Node>()): Generator<FileNode> {
    if (node.kind === "file") yield node;
    if (node.kind !== "directory" || seen.has(node)) return;
    seen.add(node);
    for (const child of node.live.values()) yield* this.#files(child, seen);
  }

  #at(path: string): Node {
    if (path === "") return this.#root;
    const { directory, name } = locate(this.#root, path);
    const node = directory.live.get(name);
    if (node === undefined) throw new Error(`${path} is not there`);
    return node;
  }

  #file(path: string): FileNode {
    const node = this.#at(path);
    if (node.kind !== "file") throw new Error(`${path} is no file`);
    return node;
  }
}
