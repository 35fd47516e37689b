/**
 * Preparing a build: everything that can be found out about it while the old one serves.
 * Source: docs/ARCHITECTURE.md, "An update, step by step", 1 to 4.
 *
 * Order: what is known already (floor, fit, space) before anything is fetched; the signature before the bytes; the
 * bytes before they are unpacked; the tree before it is started; the self-test before anybody asks for a lease.
 */
import { join } from "node:path";
import { type Platform, releaseName, showBuild, type VersionJson } from "../../protocol/build.ts";
import type { Desired } from "../../protocol/frames.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import type { DurationMs } from "../../protocol/time.ts";
import { belowFloor, MAX_BUNDLE_BYTES } from "../../protocol/trust.ts";
import { fits, type Host } from "../core/fits.ts";
import type { PreparedBuild, Preparer, Progress } from "../core/ports.ts";
import type { Disk } from "./disk.ts";
import { diskFault } from "./disk-fault.ts";
import { readFloor } from "./floor.ts";
import type { Layout } from "./layout.ts";
import { findRelease, placeRelease } from "./place-release.ts";
import { readPlaced } from "./placed.ts";

/** What the publisher signed of the bundle that was ordered. */
export type SignedTarget = {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly custom: Pick<VersionJson, "version" | "buildHash" | "platform" | "engines" | "protocol"> & {
    readonly minVersion?: string;
  };
};

export type PrepareParts = {
  readonly disk: Disk;
  readonly layout: Layout;
  readonly host: Host & { readonly platform: Platform };
  /** What runs: the floor where the real one cannot be read. */
  readonly running: string;
  /** Refreshes what is trusted, and finds the build in it. */
  resolve(desired: Desired, signal: AbortSignal): Promise<Result<SignedTarget, Fault>>;
  /** Fetches a target, resuming what is there; the file is verified. `done` removes it. */
  download(
    target: SignedTarget,
    options: {
      signal: AbortSignal;
      progress(done: { bytes: number; ofBytes: number; bytesPerSecond: number }): void;
    },
  ): Promise<Result<{ readonly path: string; readonly resumedFrom: number }, Fault>>;
  removeDownload(target: SignedTarget): Promise<void>;
  /** Starts `<runtime> <entry> --self-test` in the release. */
  selfTest(
    release: string,
    versionJson: VersionJson,
    options: { signal: AbortSignal; line(text: string): void },
  ): Promise<Result<void, Fault>>;
  readonly random: () => number;
  /** Waits; resolves early when the signal aborts. */
  wait(ms: DurationMs, signal: AbortSignal): Promise<void>;
};

type Options = Parameters<Preparer["prepare"]>[1];

/** Room for the unpacked tree, as a multiple of the packed bytes: programs pack to about a third. */
const UNPACKED_RATIO = 4;
/** Inodes that must be free; the real number is only known from the bundle. */
const MIN_FREE_INODES = 1_000;
const SPARE_BYTES = 16 * 1024 ** 2;

export function createPreparer(parts: PrepareParts): Preparer {
  return {
    prepare: async (desired, options) => {
      try {
        const prepared = await (desired.kind === "rollback"
          ? prepareBackup(parts, options)
          : prepareUpdate(parts, desired, options));
        return options.signal.aborted ? err(CANCELLED) : prepared;
      } catch (cause) {
        if (options.signal.aborted) return err(CANCELLED);
        return err(diskFault(cause, "prepare the build"));
      }
    },
  };
}

const CANCELLED: Fault = { code: "cancelled", message: "Preparing was stopped; what was fetched is kept." };

async function prepareUpdate(
  parts: PrepareParts,
  desired: Desired,
  options: Options,
): Promise<Result<PreparedBuild, Fault>> {
  const { disk, layout, host } = parts;
  const { signal } = options;
  const { build } = desired;
  if (build === null) return err({ code: "no-build", message: "No build was named for this platform." });
  step(options, { step: "preflight", percent: 0, bytesPerSecond: null });
  const floor = await requireAboveFloor(parts, build.version);
  if (!floor.ok) return floor;
  if (desired.jitterMs > 0) {
    const waitMs = Math.floor(parts.random() * desired.jitterMs);
    options.line(`Waiting ${Math.round(waitMs / 1000)} s, so that not every node fetches at once.`);
    await parts.wait(waitMs, signal);
    if (signal.aborted) return err(CANCELLED);
  }
  const target = await parts.resolve(desired, signal);
  if (!target.ok) return target;
  const { custom, bytes } = target.value;
  const fit = fits(custom, host);
  if (!fit.ok) return fit;
  options.line(`The publisher has signed ${showBuild(build)}: ${target.value.name}, ${bytes} bytes.`);
  const there = await findRelease(disk, layout, build);
  if (!there.ok) return there;
  const minVersion = custom.minVersion ?? null;
  if (there.value !== null) {
    options.line(`${showBuild(build)} lies complete on the disk already, and verifies.`);
    await parts.removeDownload(target.value);
    return testAndReport(parts, there.value, minVersion, options);
  }
  const space = await requireSpace(parts, bytes);
  if (!space.ok) return space;
  const unpacked = await fetchAndUnpack(parts, target.value, options);
  if (!unpacked.ok) return unpacked;
  return testAndReport(parts, unpacked.value, minVersion, options);
}

/** The build of `dist.bak` was prepared once; it is verified and tested again before it goes live. */
async function prepareBackup(parts: PrepareParts, options: Options): Promise<Result<PreparedBuild, Fault>> {
  const { disk, layout } = parts;
  step(options, { step: "preflight", percent: 0, bytesPerSecond: null });
  const backup = await readPlaced(disk, layout.root, "dist.bak");
  if (backup === null) {
    return err({
      code: "no-backup",
      message: "dist.bak names no complete build, so there is nothing to go back to.",
    });
  }
  const floor = await requireAboveFloor(parts, backup.build.version);
  if (!floor.ok) return floor;
  const there = await findRelease(disk, layout, backup.build);
  if (!there.ok) return there;
  if (there.value === null) return err({ code: "no-backup", message: "dist.bak is not complete any more." });
  return testAndReport(parts, there.value, null, options);
}

async function fetchAndUnpack(
  parts: PrepareParts,
  target: SignedTarget,
  options: Options,
): Promise<Result<VersionJson, Fault>> {
  const { disk, layout, host } = parts;
  step(options, { step: "fetch", percent: 0, bytesPerSecond: null });
  const fetched = await parts.download(target, {
    signal: options.signal,
    progress: ({ bytes, ofBytes, bytesPerSecond }) =>
      step(options, { step: "fetch", percent: (100 * bytes) / Math.max(1, ofBytes), bytesPerSecond }),
  });
  if (!fetched.ok) return fetched;
  const { path, resumedFrom } = fetched.value;
  const how = resumedFrom > 0 ? `, ${resumedFrom} of them from before` : "";
  options.line(`Fetched and verified ${target.bytes} bytes${how}.`);
  step(options, { step: "prepare", percent: 0, bytesPerSecond: null });
  const { version, buildHash } = target.custom;
  const placed = await placeRelease({
    disk,
    layout,
    archivePath: path,
    expected: { version, buildHash },
    platform: host.platform,
  });
  // On a full disk as well: what is left on it for a next attempt is what somebody else runs out of.
  await parts.removeDownload(target);
  if (!placed.ok) return placed;
  const same = fits(placed.value, host);
  return same.ok ? placed : same;
}

async function testAndReport(
  parts: PrepareParts,
  versionJson: VersionJson,
  minVersion: string | null,
  options: Options,
): Promise<Result<PreparedBuild, Fault>> {
  const { version, buildHash } = versionJson;
  const release = join(parts.layout.releases, releaseName({ version, buildHash }));
  step(options, { step: "prepare", percent: 60, bytesPerSecond: null });
  const tested = await parts.selfTest(release, versionJson, options);
  if (!tested.ok) return tested;
  options.line("The build's self-test passed.");
  step(options, { step: "prepare", percent: 100, bytesPerSecond: null });
  return ok({ build: { version, buildHash }, versionJson, minVersion });
}

async function requireAboveFloor(
  { disk, layout, running }: PrepareParts,
  version: string,
): Promise<Result<void, Fault>> {
  const floor = await readFloor(disk, layout, running);
  if (!belowFloor(version, floor)) return ok(undefined);
  return err({
    code: "below-floor",
    message: `Version ${version} is below ${floor}, the oldest that the publisher still allows on this node.`,
    hint: "Publish a newer one.",
    context: { version, floor },
  });
}

async function requireSpace({ disk, layout }: PrepareParts, bytes: number): Promise<Result<void, Fault>> {
  const { freeBytes, freeInodes } = await disk.statfs(layout.root);
  const neededBytes = Math.min(bytes, MAX_BUNDLE_BYTES) * (1 + UNPACKED_RATIO) + SPARE_BYTES;
  // Some file systems have no fixed number of inodes, and say 0.
  const inodesLeft = freeInodes === 0 ? MIN_FREE_INODES : freeInodes;
  if (freeBytes >= neededBytes && inodesLeft >= MIN_FREE_INODES) return ok(undefined);
  const short =
    freeBytes < neededBytes
      ? `${Math.ceil(neededBytes / 1024 ** 2)} MiB are needed and ${Math.floor(freeBytes / 1024 ** 2)} are free`
      : `${MIN_FREE_INODES} inodes are needed and ${freeInodes} are free`;
  return err({
    code: "disk-full",
    message: `There is too little space to prepare the build: ${short}; nothing was fetched.`,
    hint: `Free some space on the file system of ${layout.root}.`,
    context: { freeBytes, neededBytes, freeInodes },
  });
}

const step = (options: Options, to: Progress): void => options.progress(to);
