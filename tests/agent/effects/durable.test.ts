import { mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Disk, realDisk } from "../../../agent/effects/disk.ts";
import {
  hasCode,
  linkDurably,
  makeDirDurably,
  removeDurably,
  removeTreeDurably,
  renameDurably,
  writeDurably,
} from "../../../agent/effects/durable.ts";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "baton-durable-"));
});
afterEach(() => rm(dir, { recursive: true }));

/** The real disk, writing down in what order things happen to it, and failing where told. */
function recording(failAt?: string): { disk: Disk; calls: string[] } {
  const calls: string[] = [];
  const note = (call: string) => {
    calls.push(call);
    if (call === failAt) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  };
  const disk: Disk = {
    ...realDisk,
    open: async (path, how, mode) => {
      note(`open ${how}`);
      const file = await realDisk.open(path, how, mode);
      return {
        ...file,
        write: async (data) => {
          note("write");
          await file.write(data);
        },
        sync: async () => {
          note(how === "read" ? "sync dir" : "sync file");
          await file.sync();
        },
      };
    },
    rename: async (from, to) => {
      note("rename");
      await realDisk.rename(from, to);
    },
    symlink: async (target, path) => {
      note("symlink");
      await realDisk.symlink(target, path);
    },
  };
  return { disk, calls };
}

describe("writeDurably", () => {
  it("writes beside, syncs, renames, syncs the directory, in that order", async () => {
    const { disk, calls } = recording();
    await writeDurably(disk, join(dir, "a"), "one", 0o600);
    expect(calls).toEqual(["open create", "write", "sync file", "rename", "open read", "sync dir"]);
    expect(await readFile(join(dir, "a"), "utf8")).toBe("one");
    expect((await stat(join(dir, "a"))).mode & 0o777).toBe(0o600);
  });

  it.each(["open create", "write", "sync file", "rename"])(
    "leaves the old content when %s fails",
    async (at) => {
      await writeDurably(realDisk, join(dir, "a"), "old");
      await expect(writeDurably(recording(at).disk, join(dir, "a"), "new")).rejects.toMatchObject({
        code: "ENOSPC",
      });
      expect(await readFile(join(dir, "a"), "utf8")).toBe("old");
      expect(await readdir(dir)).toEqual(["a"]);
    },
  );

  it("gets past the temporary file of a crash, also when it is a link to somewhere else", async () => {
    await writeFile(join(dir, "elsewhere"), "untouched");
    await symlink("elsewhere", join(dir, ".a.tmp"));
    await writeDurably(realDisk, join(dir, "a"), "new");
    expect(await readFile(join(dir, "elsewhere"), "utf8")).toBe("untouched");
    expect(await readFile(join(dir, "a"), "utf8")).toBe("new");
  });
});

describe("links, names and removal", () => {
  it("flips a link in one rename", async () => {
    await linkDurably(realDisk, "releases/a", join(dir, "dist"));
    const { disk, calls } = recording();
    await linkDurably(disk, "releases/b", join(dir, "dist"));
    expect(calls).toEqual(["symlink", "rename", "open read", "sync dir"]);
    expect(await readlink(join(dir, "dist"))).toBe("releases/b");
  });

  it("creates the directories that are missing and keeps those that are there", async () => {
    await makeDirDurably(realDisk, join(dir, "x/y/z"), 0o700);
    await makeDirDurably(realDisk, join(dir, "x/y/z"), 0o755);
    expect((await stat(join(dir, "x/y/z"))).mode & 0o777).toBe(0o700);
  });

  it("syncs both directories of a move", async () => {
    await makeDirDurably(realDisk, join(dir, "to"));
    await writeFile(join(dir, "a"), "");
    const { disk, calls } = recording();
    await renameDurably(disk, join(dir, "a"), join(dir, "to/a"));
    expect(calls.filter((call) => call === "sync dir")).toHaveLength(2);
  });

  it("removes what is there and does not mind what is not", async () => {
    await writeFile(join(dir, "a"), "");
    await removeDurably(realDisk, join(dir, "a"));
    await removeDurably(realDisk, join(dir, "a"));
    await removeTreeDurably(realDisk, join(dir, "b"));
    expect(await readdir(dir)).toEqual([]);
  });

  it("tells the system's errors by their code", () => {
    expect(hasCode(Object.assign(new Error("x"), { code: "EIO" }), "EIO")).toBe(true);
    expect(hasCode({ code: "EIO" }, "EIO")).toBe(false);
  });
});
