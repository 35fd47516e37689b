import { type Disk, realDisk } from "../../../agent/effects/disk.ts";

const full = (): Promise<never> =>
  Promise.reject(Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" }));

/** A disk on which nothing new can be made; renaming and removing still work. */
export const fullDisk: Disk = {
  ...realDisk,
  open: (path, how, mode) => (how === "read" ? realDisk.open(path, how, mode) : full()),
  symlink: full,
  mkdir: (path, mode) => realDisk.lstat(path).then(() => realDisk.mkdir(path, mode), full),
};
