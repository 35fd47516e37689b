import * as fs from "node:fs/promises";
import { type OpenFile, realDisk } from "../../../agent/effects/disk.ts";
import type { BareDisk } from "../interpose.ts";
import type { Ground } from "../watch.ts";

/** The real port, threads, fsync and all; it is known when nothing of it is under way. */
export function countedRealDisk(): Ground {
  let underWay = 0;
  /**
   * A life that ends leaves files open, as a process does. Here the process goes on, and Node ends it when it finds one
   * that nobody refers to any more.
   */
  const opened: OpenFile[] = [];
  let idle = Promise.withResolvers<void>();
  const counted =
    <A extends unknown[], T>(run: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      underWay += 1;
      try {
        return await run(...args);
      } finally {
        underWay -= 1;
        if (underWay === 0) {
          idle.resolve();
          idle = Promise.withResolvers();
        }
      }
    };
  const file = (open: OpenFile): OpenFile => {
    opened.push(open);
    return counting(open);
  };
  const counting = (open: OpenFile): OpenFile => ({
    read: counted((into: Uint8Array, position: number) => open.read(into, position)),
    write: counted((data: Uint8Array) => open.write(data)),
    chmod: counted((mode: number) => open.chmod(mode)),
    truncate: counted((bytes: number) => open.truncate(bytes)),
    sync: counted(() => open.sync()),
    close: counted(() => open.close()),
  });
  const disk: BareDisk = {
    open: counted(async (path, how, mode) => file(await realDisk.open(path, how, mode))),
    readFile: counted((path: string) => realDisk.readFile(path)),
    readText: counted((path: string) => realDisk.readText(path)),
    readlink: counted((path: string) => realDisk.readlink(path)),
    readdir: counted((path: string) => realDisk.readdir(path)),
    lstat: counted((path: string) => realDisk.lstat(path)),
    statfs: async () => ({ freeBytes: 1e12, freeInodes: 1e9 }),
    rename: counted((from: string, to: string) => realDisk.rename(from, to)),
    symlink: counted((target: string, path: string) => realDisk.symlink(target, path)),
    unlink: counted((path: string) => realDisk.unlink(path)),
    mkdir: counted((path: string, mode?: number) => realDisk.mkdir(path, mode)),
    rmdir: counted((path: string) => fs.rmdir(path)),
    rm: counted((path: string) => realDisk.rm(path)),
    chmod: counted((path: string, mode: number) => realDisk.chmod(path, mode)),
  };
  return { disk, underWay: () => underWay, idle: () => (underWay === 0 ? Promise.resolve() : idle.promise) };
}
