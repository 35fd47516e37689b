import * as fs from "node:fs";
import type { OpenMode } from "../../agent/effects/disk.ts";
import type { BareDisk } from "./interpose.ts";

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_APPEND, O_NOFOLLOW } = fs.constants;

const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: O_RDONLY,
  create: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
  append: O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW,
};

/**
 * A real file system, called without threads: what the agent begins is done when the call returns, so that the same
 * story has the same points in the same order every time. `fsync` does nothing here: what it is good for is kept
 * account of by `Unsynced`, and that it really is called is looked at from outside, by strace.
 */
export const syncDisk: BareDisk = {
  open: async (path, how, mode = 0o644) => {
    const fd = fs.openSync(path, FLAGS[how], mode);
    return {
      read: async (into, position) => fs.readSync(fd, into, 0, into.length, position),
      write: async (data) => {
        if (data.length > 0) fs.writeSync(fd, data);
      },
      chmod: async (bits) => fs.fchmodSync(fd, bits),
      truncate: async (bytes) => fs.ftruncateSync(fd, bytes),
      sync: async () => undefined,
      close: async () => fs.closeSync(fd),
    };
  },
  readFile: async (path) => fs.readFileSync(path),
  readText: async (path) => fs.readFileSync(path, "utf8"),
  readlink: async (path) => fs.readlinkSync(path),
  readdir: async (path) => fs.readdirSync(path).sort(),
  lstat: async (path) => fs.lstatSync(path),
  statfs: async () => ({ freeBytes: 1e12, freeInodes: 1e9 }),
  rename: async (from, to) => fs.renameSync(from, to),
  symlink: async (target, path) => fs.symlinkSync(target, path),
  unlink: async (path) => fs.unlinkSync(path),
  mkdir: async (path, mode = 0o755) => {
    fs.mkdirSync(path, { mode });
  },
  rmdir: async (path) => fs.rmdirSync(path),
  rm: async (path) => fs.rmSync(path, { recursive: true, force: true }),
  chmod: async (path, mode) => fs.chmodSync(path, mode),
};
