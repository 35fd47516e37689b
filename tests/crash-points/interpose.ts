import { relative } from "node:path";
import type { Disk, OpenFile } from "../../agent/effects/disk.ts";
import { hasCode } from "../../agent/effects/durable.ts";
import type { Effect } from "./effect.ts";

/** A disk that can also remove one empty directory: `rm` is taken apart, since a crash may come in the middle. */
export type BareDisk = Disk & { rmdir(path: string): Promise<void> };

/**
 * Told of each effect before it happens; `run` lets it happen. For a write, `half` lets only the first half of it
 * happen. What this rejects with is what the agent gets.
 */
export type Through = (effect: Effect, run: () => Promise<void>, half?: () => Promise<void>) => Promise<void>;

/**
 * The file-system port with something in between: every change below `root` goes `through`, whoever makes it and
 * wherever in the agent. Reading does not.
 */
export function interpose(inner: BareDisk, root: string, through: Through): Disk {
  const at = (path: string) => relative(root, path);

  const wrap = (path: string, isDirectory: boolean, file: OpenFile): OpenFile => ({
    read: (into, position) => file.read(into, position),
    write: (data) =>
      through(
        { kind: "write", path: at(path), data },
        () => file.write(data),
        () => file.write(data.subarray(0, data.length >> 1)),
      ),
    chmod: (mode) => through({ kind: "chmod", path: at(path), mode }, () => file.chmod(mode)),
    truncate: (bytes) => through({ kind: "truncate", path: at(path), bytes }, () => file.truncate(bytes)),
    sync: () => through({ kind: isDirectory ? "fsync-dir" : "fsync", path: at(path) }, () => file.sync()),
    close: () => file.close(),
  });

  const isThere = async (path: string): Promise<boolean> => {
    try {
      await inner.lstat(path);
      return true;
    } catch (cause) {
      if (hasCode(cause, "ENOENT")) return false;
      throw cause;
    }
  };

  const unlink = (path: string) => through({ kind: "unlink", path: at(path) }, () => inner.unlink(path));

  const remove = async (path: string): Promise<void> => {
    if (!(await inner.lstat(path)).isDirectory()) return unlink(path);
    for (const name of await inner.readdir(path)) await remove(`${path}/${name}`);
    await through({ kind: "rmdir", path: at(path) }, () => inner.rmdir(path));
  };

  return {
    ...inner,
    open: async (path, how, mode = 0o644) => {
      if (how === "read") {
        const isDirectory = (await inner.lstat(path)).isDirectory();
        return wrap(path, isDirectory, await inner.open(path, how));
      }
      // What is opened to append is created by it only if it is not there; a create that must fail changes nothing.
      if (await isThere(path)) return wrap(path, false, await inner.open(path, how, mode));
      let file: OpenFile | null = null;
      await through({ kind: "create", path: at(path), mode }, async () => {
        file = await inner.open(path, how, mode);
      });
      if (file === null) throw new Error(`${path} was to be created, and was not`);
      return wrap(path, false, file);
    },
    rename: (from, to) =>
      through({ kind: "rename", from: at(from), path: at(to) }, () => inner.rename(from, to)),
    symlink: (target, path) =>
      through({ kind: "symlink", path: at(path), target }, () => inner.symlink(target, path)),
    unlink,
    mkdir: (path, mode = 0o755) =>
      through({ kind: "mkdir", path: at(path), mode }, () => inner.mkdir(path, mode)),
    rm: async (path) => {
      if (await isThere(path)) await remove(path);
    },
    chmod: (path, mode) => through({ kind: "chmod", path: at(path), mode }, () => inner.chmod(path, mode)),
  };
}
