import * as fs from "node:fs/promises";
import { type OpenFile, realDisk } from "../../../agent/effects/disk.ts";
import type { BareDisk } from "../interpose.ts";
import type { Ground } from "../watch.ts";

/** The real port, threads, fsync and all; it is known when nothing of it is under way. */
export function countedRealDisk(): Ground {
  let underWay = 0;
  const counted =
    <A extends unknown[], T>(run: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      underWay += 1;
      try {
        return await run(...args);
      } finally {
        underWay -= 1;
      }
    };
  const file = (open: OpenFile): OpenFile => ({
    read: counted(open.read),
    write: counted(open.write),
    chmod: counted(open.chmod),
    truncate: counted(open.truncate),
    sync: counted(open.sync),
    close: counted(open.close),
  });
  const disk: BareDisk = {
    open: counted(async (path, how, mode) => file(await realDisk.open(path, how, mode))),
    readFile: counted(realDisk.readFile),
    readText: counted(realDisk.readText),
    readlink: counted(realDisk.readlink),
    readdir: counted(realDisk.readdir),
    lstat: counted(realDisk.lstat),
    statfs: async () => ({ freeBytes: 1e12, freeInodes: 1e9 }),
    rename: counted(realDisk.rename),
    symlink: counted(realDisk.symlink),
    unlink: counted(realDisk.unlink),
    mkdir: counted(realDisk.mkdir),
    rmdir: counted((path: string) => fs.rmdir(path)),
    rm: counted(realDisk.rm),
    chmod: counted(realDisk.chmod),
  };
  return { disk, underWay: () => underWay };
}
