import { execFile } from "node:child_process";
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { realDisk } from "../../../agent/effects/disk.ts";
import { unpackBundle } from "../../../agent/effects/unpack.ts";
import { inspectBundle, type PackRequest, packBundle } from "../../../cli/bundle/pack.ts";

let dir = "";
let tree = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "baton-pack-"));
  tree = join(dir, "tree");
  await mkdir(tree);
  await writeFile(join(tree, "main.mjs"), "main");
});
afterEach(() => rm(dir, { recursive: true }));

const STAMP = { version: "1.0.0", gitCommit: "unknown", builtAt: "2026-01-01T00:00:00Z" };
const pack = (change: Partial<PackRequest> = {}) =>
  packBundle({
    dir: tree,
    ...STAMP,
    entry: "main.mjs",
    platform: "linux-x64",
    out: join(dir, "out.tar.zst"),
    ...change,
  });

async function packed(change: Partial<PackRequest> = {}) {
  const result = await pack(change);
  if (!result.ok) throw new Error(result.error.message);
  return { ...result.value, content: await readFile(result.value.file) };
}

describe("packing is reproducible", () => {
  it("whatever the order in which files were made, their times, umask and exact modes", async () => {
    await mkdir(join(tree, "a"));
    for (const name of ["z", "a/b", "a-c"]) await writeFile(join(tree, name), name);
    const once = await packed();

    const other = join(dir, "other");
    await mkdir(join(other, "a"), { recursive: true, mode: 0o700 });
    for (const name of ["a-c", "a/b", "z", "main.mjs"]) {
      await writeFile(join(other, name), name === "main.mjs" ? "main" : name, { mode: 0o640 });
      await utimes(join(other, name), 1, 2);
    }
    const twice = await packed({ dir: other, out: join(dir, "twice.tar.zst") });
    expect(twice.content.equals(once.content)).toBe(true);
    expect(twice.sha256).toBe(once.sha256);
    expect(once.bytes).toBe(once.content.length);
  });

  it("and has nothing of this machine in it", async () => {
    const { content } = await packed();
    const tar = zstdDecompressSync(content);
    expect(tar.subarray(100, 156).toString("latin1").replaceAll("\0", " ")).toMatch(
      /^0?00644 +0?00000 +0?00000 +0*\d+ +0*1 /,
    );
    expect(tar.includes("root")).toBe(false);
  });

  it("and another name, mode or byte is another build", async () => {
    const hashes = new Set([(await packed()).build.buildHash]);
    await writeFile(join(tree, "more"), "");
    hashes.add((await packed()).build.buildHash);
    await chmod(join(tree, "more"), 0o755);
    hashes.add((await packed()).build.buildHash);
    await writeFile(join(tree, "more"), "x");
    hashes.add((await packed()).build.buildHash);
    expect(hashes.size).toBe(4);
    // The stamp is not part of it.
    hashes.add((await packed({ version: "2.0.0", builtAt: "2027-01-01T00:00:00Z" })).build.buildHash);
    expect(hashes.size).toBe(4);
  });
});

describe("what is packed", () => {
  it("unpacks to the same hash, for any tree", async () => {
    const name = fc
      .stringMatching(/^[a-zé0-9 .~+-]{1,30}$/u)
      .filter((n) => n.trim() === n && !/^\.+$/.test(n));
    const path = fc.array(name, { minLength: 1, maxLength: 5 }).map((names) => names.join("/"));
    const content = fc.uint8Array({ maxLength: 2000 });
    const files = fc.dictionary(path, fc.record({ content, executable: fc.boolean() }), { maxKeys: 12 });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(files, async (wanted) => {
        run += 1;
        const from = join(dir, `from${run}`);
        await mkdir(from);
        await writeFile(join(from, "main.mjs"), "main");
        for (const [at, { content, executable }] of Object.entries(wanted)) {
          // A name may be both a file and a directory of another path: the first one stands.
          try {
            await mkdir(dirname(join(from, at)), { recursive: true });
            await writeFile(join(from, at), content, { mode: executable ? 0o755 : 0o644, flag: "wx" });
          } catch (cause) {
            if (!(cause instanceof Error && /EEXIST|ENOTDIR|EISDIR/.test(cause.message))) throw cause;
          }
        }
        const result = await pack({ dir: from, out: join(dir, `${run}.tar.zst`) });
        if (!result.ok) throw new Error(result.error.message);
        const into = join(dir, `into${run}`);
        const expected = result.value.build;
        const request = {
          disk: realDisk,
          archivePath: result.value.file,
          into,
          expected,
          platform: "linux-x64",
        };
        expect(await unpackBundle({ ...request, platform: "linux-x64" })).toMatchObject({ ok: true });
        const again = await pack({ dir: into, out: join(dir, `${run}-again.tar.zst`) });
        expect(again).toMatchObject({ ok: true, value: { build: expected, sha256: result.value.sha256 } });
      }),
      { numRuns: 40 },
    );
  });

  it("is what tar itself reads", async () => {
    await mkdir(join(tree, "ü/deep"), { recursive: true });
    const long = `ü/deep/${"n".repeat(180)}`;
    await writeFile(join(tree, long), "long");
    await symlink(`ü/deep/${"n".repeat(180)}`, join(tree, "link"));
    const { content } = await packed();
    await writeFile(join(dir, "plain.tar"), zstdDecompressSync(content));
    await mkdir(join(dir, "x"));
    await promisify(execFile)("tar", ["-xf", join(dir, "plain.tar"), "-C", join(dir, "x")]);
    expect(await readFile(join(dir, "x/link"), "utf8")).toBe("long");
    expect((await readdir(join(dir, "x"))).sort()).toEqual(["link", "main.mjs", "version.json", "ü"]);
  });

  it("has a version.json of its own, in place of one in the tree", async () => {
    await writeFile(join(tree, "version.json"), "{}");
    const { versionJson, file } = await packed({ workload: { command: ["./serve"] } });
    expect(versionJson).toMatchObject({ ...STAMP, entry: "main.mjs", workload: { command: ["./serve"] } });
    expect(await inspectBundle(file)).toMatchObject({ ok: true, value: { versionJson } });
  });

  it("is laid together of several parts", async () => {
    const agent = join(dir, "agent");
    await mkdir(join(agent, "parts"), { recursive: true });
    await writeFile(join(agent, "agent.mjs"), "agent");
    await writeFile(join(agent, "parts/one"), "one");
    await mkdir(join(tree, "parts"));
    await writeFile(join(tree, "parts/two"), "two");
    const beside = [
      { dir: agent, at: "" },
      { file: process.execPath.replace(/.*/, join(agent, "agent.mjs")), at: "bin/x/node" },
    ];
    const { file } = await packed({ beside });
    const read = await inspectBundle(file);
    expect(read.ok && read.value.entries.map(({ path }) => path)).toEqual([
      "version.json",
      "agent.mjs",
      "bin",
      "bin/x",
      "bin/x/node",
      "main.mjs",
      "parts",
      "parts/one",
      "parts/two",
    ]);
  });
});

describe("a tree that an agent would refuse is not packed", () => {
  it.each<[string, () => Promise<unknown>]>([
    ["bundle-link-escapes", () => symlink("/etc/passwd", join(tree, "l"))],
    ["bundle-path-control", () => writeFile(join(tree, "a\nb"), "")],
    ["bundle-collision", () => writeFile(join(tree, "MAIN.mjs"), "")],
    ["bundle-path-reserved", () => writeFile(join(tree, ".complete"), "")],
    [
      "bundle-setuid",
      async () => {
        await writeFile(join(tree, "s"), "");
        await chmod(join(tree, "s"), 0o4755);
      },
    ],
    ["bundle-fifo", () => promisify(execFile)("mkfifo", [join(tree, "f")])],
    ["bundle-entry-missing", () => rm(join(tree, "main.mjs"))],
    ["bundle-duplicate", () => writeFile(join(tree, "agent.mjs"), "mine")],
  ])("%s", async (code, spoil) => {
    await spoil();
    await writeFile(join(dir, "agent.mjs"), "");
    await writeFile(join(dir, "out.tar.zst"), "what was there");
    const beside = [{ file: join(dir, "agent.mjs"), at: "agent.mjs" }];
    expect(await pack({ beside })).toMatchObject({ ok: false, error: { code } });
    expect(await readFile(join(dir, "out.tar.zst"), "utf8")).toBe("what was there");
    expect((await readdir(dir)).sort()).toEqual(["agent.mjs", "out.tar.zst", "tree"]);
  });

  it("bundle-kind, for a socket", async () => {
    const server = createServer().listen(join(tree, "s"));
    await new Promise((resolve) => server.once("listening", resolve));
    expect(await pack()).toMatchObject({ ok: false, error: { code: "bundle-kind" } });
    await new Promise((resolve) => server.close(resolve));
  });

  it("malformed, for a stamp that is none", async () => {
    expect(await pack({ version: "1.0" })).toMatchObject({ ok: false, error: { code: "malformed" } });
  });

  it("but hard links are two files", async () => {
    await link(join(tree, "main.mjs"), join(tree, "same"));
    expect(await pack()).toMatchObject({ ok: true });
  });
});

it("says so when there is no bundle to look into", async () => {
  expect(await inspectBundle(join(dir, "none"))).toMatchObject({
    ok: false,
    error: { code: "bundle-corrupt" },
  });
});
