/**
 * The disk of one machine, as the agent's port to it: every effect takes its time, so that a crash may come before or
 * after each of them, and may be refused as full disks and failing ones do.
 */
import type { Stats } from "node:fs";
import type { Disk, OpenFile } from "../../agent/effects/disk.ts";
import type { MachineClock } from "./clock.ts";
import type { Random } from "./random.ts";
import { type FileNode, newDir, newFile, systemError, Tree, type TreeNode } from "./tree.ts";

export type DiskTrouble = "ENOSPC" | "EIO" | "EROFS" | null;

export type DiskOptions = { readonly clock: MachineClock; readonly random: Random };

/** What the world is told of: an effect that has just happened. */
export type DiskWatch = (effect: string, path: string) => void;

const MAKES: ReadonlySet<string> = new Set(["create", "mkdir", "symlink"]);
const FREE_BYTES = 10 * 1024 ** 3;

export class MachineDisk {
  readonly tree = new Tree();
  trouble: DiskTrouble = null;
  /** It has refused to remove something. */
  hasKept = false;
  /** How much longer than usual everything takes. */
  slowness = 1;
  watch: DiskWatch = () => undefined;
  readonly #clock: MachineClock;
  readonly #random: Random;

  constructor({ clock, random }: DiskOptions) {
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * The port of one process; what it has begun and not done when it dies never happens. `reach`: how it learns of what
   * was done.
   */
  portFor(isAlive: () => boolean, reach: (run: () => void) => void = (run) => run()): Disk {
    const { tree } = this;
    const look = <T>(run: () => T): Promise<T> => {
      if (!isAlive()) return never();
      try {
        return Promise.resolve(run());
      } catch (cause) {
        return Promise.reject(cause);
      }
    };
    const does = (effect: string, path: string, run: () => void): Promise<void> => {
      if (!isAlive()) return never();
      return new Promise((resolve, reject) => {
        this.#clock.after(this.#takesMs(effect), () => {
          if (!isAlive()) return;
          try {
            // Something that is there already is told before anything else, as the kernel does it.
            if (MAKES.has(effect) && tree.find(path, false) !== null) throw systemError("EEXIST", path);
            this.#refuse(effect, path);
            run();
          } catch (cause) {
            reach(() => reject(cause));
            return;
          }
          this.watch(effect, path);
          reach(resolve);
        });
      });
    };
    const at = () => this.#clock.now();
    const opened = (path: string, node: TreeNode): OpenFile => ({
      read: (into, position) =>
        look(() => {
          if (node.kind !== "file") throw systemError("EISDIR", path);
          return node.content.copy(into, 0, position, Math.min(node.content.length, position + into.length));
        }),
      write: (data) => this.#write(path, fileOf(node, path), data, does, isAlive),
      chmod: (mode) =>
        look(() => {
          if (node.kind !== "link") node.mode = mode;
        }),
      truncate: (bytes) =>
        does("truncate", path, () =>
          tree.write(fileOf(node, path), fileOf(node, path).content.subarray(0, bytes), at()),
        ),
      sync: () => does("sync", path, () => tree.sync(node)),
      close: () => look(() => undefined),
    });
    const text = (path: string): Buffer => {
      const node = tree.get(path, true);
      if (node.kind !== "file") throw systemError("EISDIR", path);
      return node.content;
    };
    return {
      open: async (path, how, mode = 0o644) => {
        if (how === "read") return look(() => opened(path, tree.get(path, true)));
        const there = how === "append" ? tree.find(path, false) : null;
        if (there !== null) return look(() => opened(path, fileOf(there, path)));
        const file = newFile(mode, at());
        await does("create", path, () => tree.create(path, file));
        return opened(path, file);
      },
      readFile: (path) => look(() => Buffer.from(text(path))),
      readText: (path) => look(() => text(path).toString("utf8")),
      readlink: (path) =>
        look(() => {
          const node = tree.get(path, false);
          if (node.kind !== "link") throw systemError("EINVAL", path);
          return node.target;
        }),
      readdir: (path) =>
        look(() => {
          const node = tree.get(path, true);
          if (node.kind !== "dir") throw systemError("ENOTDIR", path);
          return [...node.entries.keys()].sort();
        }),
      lstat: (path) => look(() => statsOf(tree.get(path, false))),
      statfs: () =>
        look(() => ({
          freeBytes: this.trouble === "ENOSPC" ? 0 : FREE_BYTES,
          freeInodes: this.trouble === "ENOSPC" ? 0 : 1_000_000,
        })),
      rename: (from, to) => does("rename", to, () => tree.rename(from, to)),
      symlink: (target, path) => does("symlink", path, () => tree.create(path, { kind: "link", target })),
      unlink: (path) => does("unlink", path, () => tree.unlink(path)),
      mkdir: (path, mode = 0o755) => does("mkdir", path, () => tree.create(path, newDir(mode))),
      rm: async (path) => {
        if (tree.find(path, false) === null) return look(() => undefined);
        await does("rm", path, () => tree.removeSome(path, this.#random));
        await does("rm", path, () => tree.remove(path));
      },
      chmod: (path, mode) =>
        look(() => {
          const node = tree.get(path, true);
          if (node.kind !== "link") node.mode = mode;
        }),
    };
  }

  /** In two pieces: a process that dies in the middle leaves half of what it wrote. */
  async #write(
    path: string,
    file: FileNode,
    data: Uint8Array,
    does: (effect: string, path: string, run: () => void) => Promise<void>,
    isAlive: () => boolean,
  ): Promise<void> {
    if (!isAlive()) return never();
    const before = file.content;
    if (this.trouble === null)
      this.tree.write(file, Buffer.concat([before, data.subarray(0, data.length >> 1)]), this.#clock.now());
    return does("write", path, () => this.tree.write(file, Buffer.concat([before, data]), this.#clock.now()));
  }

  #takesMs(effect: string): number {
    return this.#random.next() * (effect === "sync" ? 6 : 0.5) * this.slowness;
  }

  /** A full disk still renames, unlinks and syncs; one that may only be read does none of it. */
  #refuse(effect: string, path: string): void {
    if (this.trouble === null) return;
    if (this.trouble === "ENOSPC" && ["rename", "unlink", "rm", "sync", "truncate"].includes(effect)) return;
    if (this.trouble === "EROFS" && effect === "sync") return;
    if (effect === "unlink" || effect === "rm") this.hasKept = true;
    throw systemError(this.trouble, path);
  }
}

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

function fileOf(node: TreeNode, path: string): FileNode {
  if (node.kind !== "file") throw systemError("EISDIR", path);
  return node;
}

/** As much of `Stats` as the agent asks for. */
function statsOf(node: TreeNode): Stats {
  const stats = {
    isFile: () => node.kind === "file",
    isDirectory: () => node.kind === "dir",
    isSymbolicLink: () => node.kind === "link",
    mode: node.kind === "link" ? 0o777 : node.mode,
    mtimeMs: node.kind === "file" ? node.changedAt : 0,
    size: node.kind === "file" ? node.content.length : 0,
  };
  return stats as unknown as Stats;
}
