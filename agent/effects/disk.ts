import { constants, type Stats } from "node:fs";
import * as fs from "node:fs/promises";

/**
 * Everything that the agent does on disk goes through one `Disk`. It is small on purpose: a test that stands in
 * for it can stop the world after each single effect and look at what a crash there would leave behind.
 *
 * Every function rejects with the system's own error (`code: "ENOSPC"` and so on); nothing is retried here.
 */
export type Disk = {
  /** Opens a file. See `OpenMode`; `mode` is what a new file gets, less the umask. */
  open(path: string, how: OpenMode, mode?: number): Promise<OpenFile>;
  readFile(path: string): Promise<Uint8Array>;
  readText(path: string): Promise<string>;
  readlink(path: string): Promise<string>;
  /** Names in a directory, sorted, without `.` and `..`. */
  readdir(path: string): Promise<string[]>;
  /** What is at `path` itself, links not followed. */
  lstat(path: string): Promise<Stats>;
  /** Space and inodes left to this user on the file system of `path`. */
  statfs(path: string): Promise<{ freeBytes: number; freeInodes: number }>;
  rename(from: string, to: string): Promise<void>;
  symlink(target: string, path: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Creates one directory; the parent must be there. */
  mkdir(path: string, mode?: number): Promise<void>;
  /** Removes a tree; nothing there is fine. */
  rm(path: string): Promise<void>;
  chmod(path: string, mode: number): Promise<void>;
};

/** `read` an existing file or directory, `create` a file that must not exist, `append` to a file or create it. */
export type OpenMode = "read" | "create" | "append";

/** An open file or, for `sync` alone, an open directory. Must be closed by who opened it. */
export type OpenFile = {
  /** Reads from `position` into `into`; how many bytes came, 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes all of it where the last write ended. */
  write(data: Uint8Array): Promise<void>;
  chmod(mode: number): Promise<void>;
  truncate(bytes: number): Promise<void>;
  /** fsync(2). */
  sync(): Promise<void>;
  close(): Promise<void>;
};

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_APPEND, O_NOFOLLOW } = constants;

const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: O_RDONLY,
  create: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
  append: O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW,
};

/** The disk of this machine. */
export const realDisk: Disk = {
  open: async (path, how, mode = 0o644) => openFile(await fs.open(path, FLAGS[how], mode)),
  readFile: (path) => fs.readFile(path),
  readText: (path) => fs.readFile(path, "utf8"),
  readlink: (path) => fs.readlink(path),
  readdir: async (path) => (await fs.readdir(path)).sort(),
  lstat: (path) => fs.lstat(path),
  statfs: async (path) => {
    const stat = await fs.statfs(path);
    return { freeBytes: stat.bavail * stat.bsize, freeInodes: stat.ffree };
  },
  rename: (from, to) => fs.rename(from, to),
  symlink: (target, path) => fs.symlink(target, path),
  unlink: (path) => fs.unlink(path),
  mkdir: (path, mode = 0o755) => fs.mkdir(path, { mode }).then(() => undefined),
  rm: (path) => fs.rm(path, { recursive: true, force: true }),
  chmod: (path, mode) => fs.chmod(path, mode),
};

const openFile = (handle: fs.FileHandle): OpenFile => ({
  read: async (into, position) => (await handle.read(into, 0, into.length, position)).bytesRead,
  write: async (data) => {
    let written = 0;
    while (written < data.length) {
      written += (await handle.write(data, written, data.length - written)).bytesWritten;
    }
  },
  chmod: (mode) => handle.chmod(mode),
  truncate: (bytes) => handle.truncate(bytes),
  sync: () => handle.sync(),
  close: () => handle.close(),
});
