import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { realDisk } from "../../../agent/effects/disk.ts";
import { linkDurably } from "../../../agent/effects/durable.ts";
import { raiseFloor } from "../../../agent/effects/floor.ts";
import { type Layout, layoutOf } from "../../../agent/effects/layout.ts";
import { createPreparer, type PrepareParts } from "../../../agent/effects/prepare.ts";
import { makeLayout } from "../../../agent/effects/recover.ts";
import { type Build, releaseName } from "../../../protocol/build.ts";
import type { Desired } from "../../../protocol/frames.ts";
import { err, ok } from "../../../protocol/result.ts";
import { PASSES, PLATFORM, packEntry } from "../built-release.ts";

type Packed = Awaited<ReturnType<typeof packEntry>>;

let packs = "";
let packed: Packed;
let build: Build;
beforeAll(async () => {
  packs = await mkdtemp(join(tmpdir(), "baton-packs-"));
  packed = await packEntry(packs, "1.1.0", PASSES);
  build = { version: packed.versionJson.version, buildHash: packed.versionJson.buildHash };
});
afterAll(() => rm(packs, { recursive: true }));

let dir = "";
let layout: Layout;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "baton-prepare-"));
  layout = layoutOf(dir);
  await makeLayout(realDisk, layout);
});
afterEach(() => rm(dir, { recursive: true }));

/** What happened outside, in order. */
const calls: string[] = [];
beforeEach(() => {
  calls.length = 0;
});

function partsWith(change: Partial<PrepareParts> = {}): PrepareParts {
  const part = () => join(layout.download, "bundle.part");
  return {
    disk: realDisk,
    layout,
    host: { platform: PLATFORM, nodeVersion: "26.0.0", protocol: 1 },
    running: "1.0.0",
    resolve: async () => {
      calls.push("resolve");
      const { engines, platform, protocol } = packed.versionJson;
      const custom = { ...build, engines, platform, protocol, minVersion: "1.0.5" };
      return ok({ name: "bundle", bytes: (await stat(packed.file)).size, sha256: "0".repeat(64), custom });
    },
    download: async (_target, options) => {
      calls.push("download");
      await cp(packed.file, part());
      options.progress({ bytes: 50, ofBytes: 100, bytesPerSecond: 1_000 });
      return ok({ path: part(), resumedFrom: 0 });
    },
    removeDownload: async () => {
      calls.push("remove download");
      await rm(part(), { force: true });
    },
    selfTest: async (release, { entry }) => {
      calls.push(`self-test ${release.slice(dir.length + 1)}/${entry}`);
      return ok(undefined);
    },
    random: () => 0.5,
    wait: async (ms) => {
      calls.push(`wait ${ms}`);
    },
    ...change,
  };
}

const desired = (change: Partial<Desired> = {}): Desired => ({
  jobId: "j-000000000001",
  kind: "update",
  cause: "rollout",
  release: build.version,
  build,
  retry: false,
  jitterMs: 0,
  ...change,
});

const steps: string[] = [];
const lines: string[] = [];
async function prepare(parts: PrepareParts, job = desired(), signal = new AbortController().signal) {
  steps.length = 0;
  lines.length = 0;
  return createPreparer(parts).prepare(job, {
    signal,
    progress: ({ step, percent }) => steps.push(`${step} ${Math.round(percent)}`),
    line: (text) => lines.push(text),
  });
}

const releases = () => readdir(layout.releases);

describe("preparing a build", () => {
  it("fetches, unpacks, seals and tests it, and leaves nothing else", async () => {
    const prepared = await prepare(partsWith());
    expect(prepared).toMatchObject({ ok: true, value: { build, minVersion: "1.0.5" } });
    const name = releaseName(build);
    expect(calls).toEqual(["resolve", "download", "remove download", `self-test releases/${name}/entry.mjs`]);
    expect(await releases()).toEqual([name]);
    expect(await readFile(join(layout.releases, name, ".complete"), "utf8")).toBe(
      `entry.mjs\n${build.buildHash}\n`,
    );
    expect(await readdir(layout.download)).toEqual([]);
    expect(steps).toEqual(["preflight 0", "fetch 0", "fetch 50", "prepare 0", "prepare 60", "prepare 100"]);
  });

  it("takes what lies there already, after hashing it again", async () => {
    await prepare(partsWith());
    calls.length = 0;
    expect((await prepare(partsWith())).ok).toBe(true);
    expect(calls).not.toContain("download");
    expect(lines.join()).toContain("lies complete on the disk already");
  });

  it("replaces what lies there damaged, but never what is in use", async () => {
    await prepare(partsWith());
    const entry = join(layout.releases, releaseName(build), "entry.mjs");
    await writeFile(entry, "something else");
    expect((await prepare(partsWith())).ok).toBe(true);
    expect(await readFile(entry, "utf8")).toBe(PASSES);
    await writeFile(entry, "something else");
    await linkDurably(realDisk, `releases/${releaseName(build)}`, layout.dist);
    expect(await prepare(partsWith())).toMatchObject({ ok: false, error: { code: "release-damaged" } });
    expect(await readFile(entry, "utf8")).toBe("something else");
  });

  it("waits its share of the jitter before it asks anybody", async () => {
    await prepare(partsWith(), desired({ jitterMs: 8_000 }));
    expect(calls.slice(0, 2)).toEqual(["wait 4000", "resolve"]);
  });

  it.each<[string, () => Promise<void>, Partial<PrepareParts>]>([
    ["below-floor", () => raiseFloor(realDisk, layout, "1.2.0"), {}],
    [
      "wrong-platform",
      async () => undefined,
      { host: { platform: "linux-other", nodeVersion: "26.0.0", protocol: 1 } },
    ],
    [
      "wrong-engine",
      async () => undefined,
      { host: { platform: PLATFORM, nodeVersion: "12.0.0", protocol: 1 } },
    ],
    [
      "wrong-protocol",
      async () => undefined,
      { host: { platform: PLATFORM, nodeVersion: "26.0.0", protocol: 9 } },
    ],
    [
      "disk-full",
      async () => undefined,
      { disk: { ...realDisk, statfs: async () => ({ freeBytes: 1_000_000, freeInodes: 1_000_000 }) } },
    ],
    [
      "disk-full",
      async () => undefined,
      { disk: { ...realDisk, statfs: async () => ({ freeBytes: 1e12, freeInodes: 10 }) } },
    ],
  ])("refuses with %s before a byte is fetched", async (code, set, change) => {
    await set();
    expect(await prepare(partsWith(change))).toMatchObject({ ok: false, error: { code } });
    expect(calls).not.toContain("download");
    expect(await releases()).toEqual([]);
  });

  it("leaves nothing of a bundle that is not what was ordered", async () => {
    const other = await packEntry(packs, "1.1.1", PASSES);
    const download: PrepareParts["download"] = async () => ok({ path: other.file, resumedFrom: 0 });
    expect(await prepare(partsWith({ download }))).toMatchObject({
      ok: false,
      error: { code: "bundle-wrong-build" },
    });
    expect(await releases()).toEqual([]);
    expect(calls).toContain("remove download");
  });

  it("leaves nothing when the disk is full, not even the download, and says so", async () => {
    const disk = {
      ...realDisk,
      open: (path: string, how: "read" | "create" | "append", mode?: number) =>
        how === "create" && path.includes(".prepare-")
          ? Promise.reject(Object.assign(new Error("ENOSPC"), { code: "ENOSPC" }))
          : realDisk.open(path, how, mode),
    };
    expect(await prepare(partsWith({ disk }))).toMatchObject({ ok: false, error: { code: "disk-full" } });
    expect(await releases()).toEqual([]);
    expect(await readdir(layout.download)).toEqual([]);
  });

  it("passes on what trust, the download and the self-test say", async () => {
    const fault = { code: "self-test-failed", message: "It ended with 1." };
    const refuse = async () => err(fault);
    for (const change of [{ resolve: refuse }, { download: refuse }, { selfTest: refuse }]) {
      expect(await prepare(partsWith(change))).toEqual({ ok: false, error: fault });
    }
  });

  it("is cancelled by its signal, whatever it was doing", async () => {
    const controller = new AbortController();
    const selfTest: PrepareParts["selfTest"] = async () => {
      controller.abort();
      return ok(undefined);
    };
    const cancelled = await prepare(partsWith({ selfTest }), desired(), controller.signal);
    expect(cancelled).toMatchObject({ ok: false, error: { code: "cancelled" } });
  });
});

describe("preparing a rollback", () => {
  const rollback = () => desired({ kind: "rollback", build: null, release: null });

  it("verifies and tests what dist.bak names, without a network", async () => {
    await prepare(partsWith());
    await linkDurably(realDisk, `releases/${releaseName(build)}`, layout.backup);
    calls.length = 0;
    expect(await prepare(partsWith(), rollback())).toMatchObject({
      ok: true,
      value: { build, minVersion: null },
    });
    expect(calls).toEqual([`self-test releases/${releaseName(build)}/entry.mjs`]);
  });

  it("is refused without a backup, with one that is damaged, and below the floor", async () => {
    expect(await prepare(partsWith(), rollback())).toMatchObject({ error: { code: "no-backup" } });
    await prepare(partsWith());
    await linkDurably(realDisk, `releases/${releaseName(build)}`, layout.backup);
    await raiseFloor(realDisk, layout, "2.0.0");
    expect(await prepare(partsWith(), rollback())).toMatchObject({ error: { code: "below-floor" } });
    await rm(layout.floor);
    await writeFile(join(layout.releases, releaseName(build), "entry.mjs"), "damaged");
    expect(await prepare(partsWith(), rollback())).toMatchObject({ error: { code: "release-damaged" } });
  });
});
