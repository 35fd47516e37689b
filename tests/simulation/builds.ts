/**
 * What is published: builds with real trees and real hashes, and how each of them behaves once it runs.
 * The shelf is what the coordinator reads; the preparer is how a node gets one.
 */
import { createHash } from "node:crypto";
import { fits } from "../../agent/core/fits.ts";
import type { PreparedBuild, Preparer } from "../../agent/core/ports.ts";
import type { Disk } from "../../agent/effects/disk.ts";
import { diskFault } from "../../agent/effects/disk-fault.ts";
import { renameDurably } from "../../agent/effects/durable.ts";
import { readFloor } from "../../agent/effects/floor.ts";
import { type Layout, PREPARING_PREFIX } from "../../agent/effects/layout.ts";
import { findRelease } from "../../agent/effects/place-release.ts";
import { readPlaced } from "../../agent/effects/placed.ts";
import { seal } from "../../agent/effects/release.ts";
import { TreeWriter } from "../../agent/effects/unpack-tree.ts";
import { type Build, type Platform, releaseName, type VersionJson } from "../../protocol/build.ts";
import { buildHash } from "../../protocol/build-hash.ts";
import type { Desired } from "../../protocol/frames.ts";
import type { Release } from "../../protocol/release.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import { belowFloor } from "../../protocol/trust.ts";
import type { Random } from "./random.ts";
import { newDir, newFile, type Tree } from "./tree.ts";

/** The ways of a build. All but the first are taken back, or never swapped in. */
export const MANNERS = [
  "good",
  "crashes-at-start",
  "exits-at-once",
  "hangs-before-ready",
  "hangs-after-ready",
  "crashes-later",
  "is-unhealthy",
  "never-catches-up",
  "flaps",
  "cannot-connect",
  "fails-self-test",
  "other-platform",
] as const;
export type Manner = (typeof MANNERS)[number];

export type SimBuild = {
  readonly build: Build;
  readonly versionJson: VersionJson;
  readonly manner: Manner;
  readonly minVersion: string | null;
  /** Whether its health hook says who leads. */
  readonly saysRole: boolean;
  readonly program: string;
};

export const PLATFORM: Platform = "linux-x64";

export function makeBuild(
  version: string,
  manner: Manner,
  { minVersion = null, saysRole = true }: { minVersion?: string | null; saysRole?: boolean } = {},
): SimBuild {
  const program = `run(${JSON.stringify([version, manner, saysRole])});\n`;
  const sha256 = createHash("sha256").update(program).digest("hex");
  const hash = buildHash([{ kind: "file", path: "main.mjs", mode: 0o644, bytes: program.length, sha256 }]);
  const build = { version, buildHash: hash };
  const versionJson: VersionJson = {
    ...build,
    builtAt: "2026-01-01T00:00:00Z",
    gitCommit: "unknown",
    entry: "main.mjs",
    engines: { node: "*" },
    platform: PLATFORM,
    protocol: 2,
  };
  return { build, versionJson, manner, minVersion, saysRole, program };
}

/** The release as it lies on a disk since long ago. */
export function layDown(tree: Tree, root: string, { build, program, versionJson }: SimBuild): void {
  const dir = `${root}/releases/${releaseName(build)}`;
  tree.create(dir, newDir());
  const files = {
    "main.mjs": program,
    "version.json": JSON.stringify(versionJson),
    ".complete": `main.mjs\n${build.buildHash}\n`,
  };
  for (const [name, text] of Object.entries(files)) {
    const file = newFile(0o644, 0);
    tree.create(`${dir}/${name}`, file);
    tree.write(file, Buffer.from(text), 0);
    tree.sync(file);
  }
  tree.sync(tree.get(dir, true));
  tree.sync(tree.get(`${root}/releases`, true));
}

/** Whether a release on a disk is exactly this build, and whole. */
export function liesWhole(tree: Tree, dir: string, { build, program }: SimBuild): boolean {
  const text = (name: string) => {
    const node = tree.find(`${dir}/${name}`, true);
    return node?.kind === "file" ? node.content.toString("utf8") : null;
  };
  if (text(".complete") !== `main.mjs\n${build.buildHash}\n` || text("main.mjs") !== program) return false;
  return text("version.json")?.includes(build.buildHash) === true;
}

/** All that there is in a world: what runs from the beginning, and what is published on the way. */
export class Builds {
  readonly all = new Map<string, SimBuild>();
  readonly releases: Release[] = [];

  add(build: SimBuild): SimBuild {
    this.all.set(build.build.buildHash, build);
    return build;
  }

  publish(made: SimBuild): void {
    this.add(made);
    const bundle = {
      platform: PLATFORM,
      buildHash: made.build.buildHash,
      target: `${made.build.version}/x.tar.zst`,
      bytes: 1,
      sha256: made.build.buildHash,
      engines: "*",
      protocol: 2,
    };
    this.releases.push({ version: made.build.version, minVersion: made.minVersion, bundles: [bundle] });
  }

  of(build: Build): SimBuild {
    const found = this.all.get(build.buildHash);
    if (found === undefined) throw new Error(`nobody made ${build.version} (${build.buildHash})`);
    return found;
  }

  /** By the link that names it. */
  named(link: string): SimBuild | undefined {
    return [...this.all.values()].find(({ build }) => `releases/${releaseName(build)}` === link);
  }
}

export type PreparerWorld = {
  readonly builds: Builds;
  readonly disk: Disk;
  readonly layout: Layout;
  readonly running: Build;
  readonly random: Random;
  /** Lets time pass for this process. */
  readonly wait: (ms: number) => Promise<void>;
  /** Whether the repository can be reached right now. */
  readonly reaches: () => boolean;
};

type Options = Parameters<Preparer["prepare"]>[1];
const CANCELLED: Fault = { code: "cancelled", message: "Preparing was stopped." };

/** Fetches by waiting, then unpacks, seals and names as the real one does. */
export const simPreparer = (world: PreparerWorld): Preparer => ({
  prepare: async (desired, options) => {
    try {
      const prepared = await prepare(world, desired, options);
      return options.signal.aborted ? err(CANCELLED) : prepared;
    } catch (cause) {
      return err(options.signal.aborted ? CANCELLED : diskFault(cause, "prepare the build"));
    }
  },
});

async function prepare(
  world: PreparerWorld,
  desired: Desired,
  options: Options,
): Promise<Result<PreparedBuild, Fault>> {
  const { disk, layout, builds, running, random } = world;
  const wanted =
    desired.kind === "rollback" ? (await readPlaced(disk, layout.root, "dist.bak"))?.build : desired.build;
  if (wanted === null || wanted === undefined)
    return err({ code: desired.kind === "rollback" ? "no-backup" : "no-build", message: "There is none." });
  const floor = await readFloor(disk, layout, running.version);
  if (belowFloor(wanted.version, floor))
    return err({ code: "below-floor", message: `Version ${wanted.version} is below ${floor}.` });
  if (desired.jitterMs > 0) await world.wait(random.next() * desired.jitterMs);
  const made = builds.of(wanted);
  const host = { platform: PLATFORM, nodeVersion: "26.10.0", protocol: 2 };
  const platform = made.manner === "other-platform" ? "linux-arm64" : PLATFORM;
  if (desired.kind === "update") {
    options.progress({ step: "fetch", percent: 0, bytesPerSecond: null });
    if (!world.reaches()) return err({ code: "unreachable", message: "The repository cannot be reached." });
    const fit = fits({ ...made.versionJson, platform }, host);
    if (!fit.ok) return fit;
  }
  const there = await findRelease(disk, layout, wanted);
  if (!there.ok) return there;
  if (there.value === null) {
    if (desired.kind === "rollback") return err({ code: "no-backup", message: "dist.bak is not complete." });
    await world.wait(random.int(200, 4_000));
    if (!world.reaches()) return err({ code: "unreachable", message: "The repository cannot be reached." });
    try {
      await place(world, made);
    } catch (cause) {
      await disk.rm(`${layout.releases}/${PREPARING_PREFIX}${made.build.buildHash.slice(0, 12)}`);
      throw cause;
    }
  }
  options.progress({ step: "prepare", percent: 60, bytesPerSecond: null });
  await world.wait(random.int(50, 400));
  if (made.manner === "fails-self-test")
    return err({ code: "self-test-failed", message: "Its --self-test failed." });
  return ok({
    build: made.build,
    versionJson: made.versionJson,
    minVersion: desired.kind === "rollback" ? null : made.minVersion,
  });
}

async function place({ disk, layout }: PreparerWorld, made: SimBuild): Promise<void> {
  const aside = `${layout.releases}/${PREPARING_PREFIX}${made.build.buildHash.slice(0, 12)}`;
  const name = `${layout.releases}/${releaseName(made.build)}`;
  await disk.rm(aside);
  await disk.mkdir(aside);
  const writer = new TreeWriter(disk, aside);
  for (const [path, text] of [
    ["main.mjs", made.program],
    ["version.json", JSON.stringify(made.versionJson)],
  ] as const) {
    const file = writer.file(path, 0o644);
    file.write(Buffer.from(text));
    file.end();
  }
  await writer.sync();
  await seal(disk, aside, made.versionJson);
  await disk.rm(name);
  await renameDurably(disk, aside, name);
}
