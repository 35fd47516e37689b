import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Disk, realDisk } from "../../agent/effects/disk.ts";
import { EMPTY_SET, swapSet } from "../../agent/effects/trust/cache.ts";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "baton-full-"));
});
afterEach(() => rm(dir, { recursive: true }));

const set = { ...EMPTY_SET, root: Buffer.from("{}") };
const full = () => Promise.reject(Object.assign(new Error("ENOSPC"), { code: "ENOSPC" }));

// Found by the crash points: on a full disk every attempt left another half of a set, and none was ever removed.
it.each([
  ["a file", { open: full }],
  ["the link", { symlink: full }],
] as const)("metadata for which there is no room (%s) leaves nothing", async (_what, failing) => {
  await swapSet(realDisk, dir, set);
  const before = await readdir(dir);
  const disk: Disk = { ...realDisk, ...failing };
  await expect(swapSet(disk, dir, set)).rejects.toThrow("ENOSPC");
  expect(await readdir(dir)).toEqual(before);
});
