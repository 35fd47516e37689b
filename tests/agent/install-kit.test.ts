import { chown, lstat, mkdtemp, readdir, readFile, readlink, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { realDisk } from "../../agent/effects/disk.ts";
import { layoutOf } from "../../agent/effects/layout.ts";
import { takeLock } from "../../agent/effects/lock.ts";
import { installFirst } from "../../agent/install-kit.ts";
import { findRunning } from "../../agent/running.ts";
import { releaseName } from "../../protocol/build.ts";
import { FAILS, PASSES, packEntry } from "./built-release.ts";

let dir = "";
let home = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "baton-install-"));
  home = await mkdtemp(join(dir, "home-"));
});
afterEach(() => rm(dir, { recursive: true }));

const install = (file: string, from: Parameters<typeof installFirst>[0]["from"] = { kind: "seed" }) =>
  installFirst({
    disk: realDisk,
    file,
    from,
    layout: layoutOf(home),
    running: findRunning(undefined),
    env: { PATH: process.env.PATH },
    selfTestTimeoutMs: 10_000,
  });

describe("a node's first build", () => {
  it("is unpacked, tested, and named by dist; all of it is the service's", async () => {
    if (process.getuid?.() === 0) await chown(home, 4_711, 4_712);
    const { file, build } = await packEntry(dir, "1.0.0", PASSES);
    expect(await install(file)).toMatchObject({ ok: true, value: { build, outcome: "installed" } });
    expect(await readlink(join(home, "dist"))).toBe(`releases/${releaseName(build)}`);
    const { uid, gid } = await lstat(home);
    for (const path of ["dist", "state", `releases/${releaseName(build)}/entry.mjs`])
      expect(await lstat(join(home, path))).toMatchObject({ uid, gid });
    const again = await install(file);
    expect(again).toMatchObject({ ok: false, error: { code: "already-installed" } });
  });

  it("that fails its self-test is not given to the node, and its last words are told", async () => {
    const { file } = await packEntry(dir, "1.0.0", FAILS);
    const failed = await install(file);
    expect(failed).toMatchObject({ ok: false, error: { code: "self-test-failed" } });
    expect(failed).toMatchObject({ error: { message: expect.stringContaining("cannot find its disk") } });
    expect(await readdir(home)).not.toContain("dist");
  });

  it("never replaces what dist.bak names, damaged as it may be", async () => {
    const { file, build } = await packEntry(dir, "1.0.0", PASSES);
    expect(await install(file)).toMatchObject({ ok: true });
    await rename(join(home, "dist"), join(home, "dist.bak"));
    const entry = join(home, "releases", releaseName(build), "entry.mjs");
    await writeFile(entry, "// changed");
    expect(await install(file)).toMatchObject({ ok: false, error: { code: "release-damaged" } });
    expect(await readFile(entry, "utf8")).toBe("// changed");
  });

  it("is refused while another agent has the directory", async () => {
    const { file } = await packEntry(dir, "1.0.0", PASSES);
    const { file: other } = await packEntry(dir, "1.0.1", PASSES);
    expect(await install(file)).toMatchObject({ ok: true });
    await rm(join(home, "dist"));
    const lock = await takeLock(layoutOf(home).lock);
    expect(await install(other)).toMatchObject({ ok: false, error: { code: "already-running" } });
    if (lock.ok) await lock.value.release();
    expect(await install(other)).toMatchObject({ ok: true });
  });

  it("is not made of what is no bundle", async () => {
    const file = join(dir, "seed.tar.zst");
    await writeFile(file, "hello");
    expect(await install(file)).toMatchObject({ ok: false, error: { code: "bundle-corrupt" } });
    expect(await readdir(join(home, "releases"))).toEqual([]);
  });

  it("from a kit needs a root to trust", async () => {
    const { file } = await packEntry(dir, "1.0.0", PASSES);
    const refused = await install(file, { kind: "kit", root: null });
    expect(refused).toMatchObject({
      ok: false,
      error: { code: "not-joined", hint: expect.stringContaining("--root") },
    });
    const bad = await install(file, { kind: "kit", root: Buffer.from("{}") });
    expect(bad).toMatchObject({ ok: false, error: { code: "bad-kit" } });
    expect(await readdir(home)).not.toContain("dist");
  });
});
