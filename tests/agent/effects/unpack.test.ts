import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Disk, type OpenFile, realDisk } from "../../../agent/effects/disk.ts";
import { readSeal, seal, verifyRelease } from "../../../agent/effects/release.ts";
import { unpackBundle } from "../../../agent/effects/unpack.ts";
import { type PackedBundle, packBundle } from "../../../cli/bundle/pack.ts";
import type { Build } from "../../../protocol/build.ts";
import { HOSTILE_ARCHIVES, limitsOf } from "../../protocol/hostile-archives.ts";
import { honest, packed } from "../../protocol/raw-tar.ts";

let dir = "";
let into = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "baton-unpack-"));
  into = join(dir, "releases");
});
afterEach(() => rm(dir, { recursive: true }));

const ANY: Build = { version: "1.0.0", buildHash: "0".repeat(64) };

async function unpackBytes(archive: Buffer, expected = ANY, disk = realDisk, limits = {}) {
  const archivePath = join(dir, "archive");
  await writeFile(archivePath, archive);
  return unpackBundle({ disk, archivePath, into, expected, platform: "linux-x64", ...limits });
}

/** A tree with what trees have, packed. */
async function packTree(): Promise<PackedBundle> {
  const tree = join(dir, "tree");
  await mkdir(join(tree, "bin/deep/er"), { recursive: true });
  await mkdir(join(tree, "empty"));
  await writeFile(join(tree, "main.mjs"), "main");
  await writeFile(join(tree, "nothing"), "");
  await writeFile(join(tree, "bin/run"), "#!/bin/sh\n");
  await chmod(join(tree, "bin/run"), 0o755);
  await writeFile(join(tree, "bin/deep/er/large"), Buffer.alloc(700_001, "abcdefg"));
  await symlink("deep/er/large", join(tree, "bin/l"));
  const stamp = { version: "1.2.3", gitCommit: "unknown", builtAt: "2026-01-01T00:00:00Z" };
  const out = join(dir, "bundle.tar.zst");
  const result = await packBundle({ dir: tree, ...stamp, entry: "main.mjs", platform: "linux-x64", out });
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

const unpackPacked = (bundle: PackedBundle, disk = realDisk) =>
  unpackBundle({ disk, archivePath: bundle.file, into, expected: bundle.build, platform: "linux-x64" });

describe("a bundle that is refused", () => {
  it.each(HOSTILE_ARCHIVES)("leaves nothing on the disk: $name", async (hostile) => {
    const unpacked = await unpackBytes(hostile.archive, ANY, realDisk, { limits: limitsOf(hostile) });
    expect(unpacked).toMatchObject({ ok: false, error: { code: hostile.code } });
    expect(await readdir(dir)).toEqual(["archive"]);
  });

  it.each([
    ["another version", { version: "1.0.1" }, {}, "bundle-wrong-build"],
    ["another hash", {}, {}, "bundle-wrong-build"],
    ["another platform", {}, { platform: "linux-arm64" }, "bundle-wrong-platform"],
  ])("for being %s than ordered leaves nothing", async (what, order, says, code) => {
    const bundle = honest([], says);
    const { buildHash } = JSON.parse(String(bundle[0]?.content));
    const expected = what === "another hash" ? ANY : { version: "1.0.0", buildHash, ...order };
    expect(await unpackBytes(packed(bundle), expected)).toMatchObject({ ok: false, error: { code } });
    expect(await readdir(dir)).toEqual(["archive"]);
  });

  it("does not touch a directory that was there already", async () => {
    await mkdir(into);
    await writeFile(join(into, "precious"), "");
    await expect(unpackBytes(packed(honest()))).rejects.toMatchObject({ code: "EEXIST" });
    expect(await readdir(into)).toEqual(["precious"]);
  });
});

describe("a bundle that is unpacked", () => {
  it("has every name, mode, link and byte, and the hash it was packed with", async () => {
    const bundle = await packTree();
    expect(await unpackPacked(bundle)).toEqual({ ok: true, value: bundle.versionJson });
    const names = await readdir(into, { recursive: true });
    expect(names.sort()).toEqual([
      "bin",
      "bin/deep",
      "bin/deep/er",
      "bin/deep/er/large",
      "bin/l",
      "bin/run",
      "empty",
      "main.mjs",
      "nothing",
      "version.json",
    ]);
    expect((await stat(join(into, "bin/run"))).mode & 0o7777).toBe(0o755);
    expect((await stat(join(into, "main.mjs"))).mode & 0o7777).toBe(0o644);
    expect(await readlink(join(into, "bin/l"))).toBe("deep/er/large");
    expect(await readFile(join(into, "bin/l"))).toEqual(Buffer.alloc(700_001, "abcdefg"));
  });

  it("has its modes whatever the umask is", async () => {
    const before = process.umask(0o077);
    try {
      const bundle = await packTree();
      expect(await unpackPacked(bundle)).toMatchObject({ ok: true });
      await seal(realDisk, into, bundle.versionJson);
      expect((await stat(into)).mode & 0o777).toBe(0o755);
      expect((await stat(join(into, "bin"))).mode & 0o777).toBe(0o755);
      expect(await verifyRelease(realDisk, into, bundle.build)).toMatchObject({ ok: true });
    } finally {
      process.umask(before);
    }
  });

  it("is on the disk when it is told so: every file synced, then every directory after those in it", async () => {
    const synced: string[] = [];
    const watching: Disk = {
      ...realDisk,
      open: async (path, how, mode) => {
        const file = await realDisk.open(path, how, mode);
        return {
          ...file,
          sync: async () => {
            await file.sync();
            synced.push(path.slice(into.length + 1));
          },
        };
      },
    };
    await unpackPacked(await packTree(), watching);
    const files = ["bin/deep/er/large", "bin/run", "main.mjs", "nothing", "version.json"];
    expect(synced.slice(0, files.length).sort()).toEqual(files);
    expect(synced.slice(files.length, -3)).toEqual(["bin/deep/er", "bin/deep"]);
    expect(synced.slice(-3, -1).sort()).toEqual(["bin", "empty"]);
    expect(synced.at(-1)).toBe("");
  });
});

describe("a disk that fails", () => {
  const failing = (at: keyof OpenFile | "open" | "mkdir" | "symlink", code: string): Disk => {
    let countdown = 2;
    const trip = () => {
      countdown -= 1;
      if (countdown === 0) throw Object.assign(new Error(code), { code });
    };
    return {
      ...realDisk,
      open: async (path, how, mode) => {
        if (at === "open" && how === "create") trip();
        const file = await realDisk.open(path, how, mode);
        if (at === "open" || at === "mkdir" || at === "symlink" || how === "read") return file;
        return {
          ...file,
          [at]: async (...args: never[]) => {
            if (at === "close") await file.close();
            trip();
            if (at !== "close") await (file[at] as (...args: never[]) => Promise<unknown>)(...args);
          },
        };
      },
      mkdir: async (path, mode) => {
        if (at === "mkdir" && path !== into) trip();
        await realDisk.mkdir(path, mode);
      },
      symlink: async (target, path) => {
        if (at === "symlink") throw Object.assign(new Error(code), { code });
        await realDisk.symlink(target, path);
      },
    };
  };

  it.each(["open", "write", "sync", "close", "mkdir", "symlink"] as const)(
    "by being full at %s: a fault, and nothing left",
    async (at) => {
      const bundle = await packTree();
      expect(await unpackPacked(bundle, failing(at, "ENOSPC"))).toMatchObject({
        ok: false,
        error: { code: "disk-full", context: { directory: into } },
      });
      expect(await readdir(dir)).not.toContain("releases");
    },
  );

  it("by an input/output error: throws it, and nothing left", async () => {
    const bundle = await packTree();
    await expect(unpackPacked(bundle, failing("write", "EIO"))).rejects.toMatchObject({ code: "EIO" });
    expect(await readdir(dir)).not.toContain("releases");
  });
});

describe("a release", () => {
  it("is complete once it is sealed", async () => {
    const bundle = await packTree();
    await unpackPacked(bundle);
    expect(await readSeal(realDisk, into)).toBeNull();
    expect(await verifyRelease(realDisk, into)).toMatchObject({
      ok: false,
      error: { code: "release-incomplete" },
    });
    await seal(realDisk, into, bundle.versionJson);
    expect(await readFile(join(into, ".complete"), "utf8")).toBe(`main.mjs\n${bundle.build.buildHash}\n`);
    expect(await readSeal(realDisk, into)).toEqual({ entry: "main.mjs", buildHash: bundle.build.buildHash });
    expect(await verifyRelease(realDisk, into, bundle.build)).toEqual({
      ok: true,
      value: bundle.versionJson,
    });
  });

  it.each<[string, (release: string) => Promise<unknown>]>([
    ["a byte changed", (r) => writeFile(join(r, "main.mjs"), "evil")],
    ["a file more", (r) => writeFile(join(r, "bin/more"), "")],
    ["a file less", (r) => rm(join(r, "nothing"))],
    ["a mode changed", (r) => chmod(join(r, "main.mjs"), 0o755)],
    ["a mode that no bundle has", (r) => chmod(join(r, "main.mjs"), 0o600)],
    ["version.json gone", (r) => rm(join(r, "version.json"))],
    ["version.json torn", (r) => writeFile(join(r, "version.json"), '{"version":')],
    ["a seal of another build", (r) => seal(realDisk, r, { entry: "main.mjs", buildHash: "0".repeat(64) })],
    [
      "a seal with another entry",
      async (r) => {
        const sealed = await readSeal(realDisk, r);
        await seal(realDisk, r, { entry: "nothing", buildHash: sealed?.buildHash ?? "" });
      },
    ],
  ])("is damaged by %s", async (_, damage) => {
    const bundle = await packTree();
    await unpackPacked(bundle);
    await seal(realDisk, into, bundle.versionJson);
    await damage(into);
    expect(await verifyRelease(realDisk, into)).toMatchObject({
      ok: false,
      error: { code: "release-damaged" },
    });
  });

  it("with a torn seal is not complete", async () => {
    await mkdir(into);
    await writeFile(join(into, ".complete"), "main.mjs\n12");
    expect(await readSeal(realDisk, into)).toBeNull();
  });
});
