/**
 * Installing from a file: a signed kit where there is no network, and the seed that came with the package. What is
 * installed lies ready under `releases/`; only a node that has no `dist` at all is given one here, since any other
 * flip needs the lease.
 */
import { lchown, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Build, releaseName, showBuild, type VersionJson } from "../protocol/build.ts";
import { NO_SINK, readBundle } from "../protocol/bundle-reader.ts";
import { PROTOCOL } from "../protocol/frames.ts";
import { err, type Fault, ok, type Result } from "../protocol/result.ts";
import type { DurationMs } from "../protocol/time.ts";
import { belowFloor } from "../protocol/trust.ts";
import type { InstallReply } from "./control/messages.ts";
import { fits } from "./core/fits.ts";
import { realClock } from "./effects/clock.ts";
import type { Disk } from "./effects/disk.ts";
import { diskFault } from "./effects/disk-fault.ts";
import { removeDownload } from "./effects/download.ts";
import { linkDurably } from "./effects/durable.ts";
import { readFloor } from "./effects/floor.ts";
import { readJoined } from "./effects/identity.ts";
import type { Layout } from "./effects/layout.ts";
import { takeLock } from "./effects/lock.ts";
import { findRelease, placeRelease } from "./effects/place-release.ts";
import { readLinkOrNull } from "./effects/placed.ts";
import { makeLayout } from "./effects/recover.ts";
import { openKit } from "./effects/trust/kit.ts";
import { fileChunks } from "./effects/unpack.ts";
import { createSelfTester } from "./preparer.ts";
import type { Agent } from "./runner.ts";
import type { Running } from "./running.ts";

type Place = {
  readonly disk: Disk;
  readonly layout: Layout;
  readonly running: Running;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly selfTestTimeoutMs: DurationMs;
};

/** Takes a kit in while the agent runs: verified, unpacked, self-tested. It goes live by lease, like any update. */
export async function takeKit({
  kit,
  agent,
  ...place
}: Place & { readonly kit: AsyncIterable<Uint8Array>; readonly agent: Agent }): Promise<
  Result<InstallReply, Fault>
> {
  const { disk, layout } = place;
  const { update } = agent.status();
  if (update.state === "preparing") {
    return err({
      code: "update-in-progress",
      message: "A build is being prepared at this moment; nothing was installed.",
      hint: "Try again when it is done: agent status.",
    });
  }
  const file = layout.kit;
  try {
    await write(disk, file, kit);
    const placed = await placeKit(place, file, null);
    // Whoever asked knows the kit by another name.
    if (!placed.ok)
      return err({ ...placed.error, message: placed.error.message.replaceAll(file, "the file") });
    const build = buildOf(placed.value);
    const message = "It goes live when the coordinator wants it and gives the lease: agent update-now.";
    return ok({ build, outcome: "prepared", message });
  } catch (cause) {
    return err(diskFault(cause, "take the kit in"));
  } finally {
    await disk.rm(file);
  }
}

export type FirstInstall = Place & {
  readonly file: string;
  /** `seed`: a plain bundle, trusted as the package that it came with. `kit`: signed, verified from `root`. */
  readonly from: { readonly kind: "seed" } | { readonly kind: "kit"; readonly root: Uint8Array | null };
};

/**
 * Gives a node its first `dist`. Errors: `already-installed` (nothing was changed), `already-running`, and whatever
 * is wrong with the file.
 */
export async function installFirst(request: FirstInstall): Promise<Result<InstallReply, Fault>> {
  const { disk, layout, file, from } = request;
  await makeLayout(disk, layout);
  const lock = await takeLock(layout.lock);
  if (!lock.ok) return lock;
  try {
    if ((await readLinkOrNull(disk, layout.dist)) !== null) {
      return err({
        code: "already-installed",
        message: `${layout.dist} names a build already; it was left as it is.`,
        hint: "Another build goes live by lease: start the agent, then agent install FILE, agent update-now.",
      });
    }
    const placed =
      from.kind === "seed" ? await placeSeed(request, file) : await placeKit(request, file, from.root);
    if (!placed.ok) return placed;
    const build = buildOf(placed.value);
    await linkDurably(disk, `releases/${releaseName(build)}`, layout.dist);
    return ok({ build, outcome: "installed", message: `${layout.dist} names it now.` });
  } catch (cause) {
    return err(diskFault(cause, "install the build"));
  } finally {
    await lock.value.release();
    await giveToOwner(layout.root);
  }
}

async function placeSeed(place: Place, file: string): Promise<Result<VersionJson, Fault>> {
  const read = await readBundle(fileChunks(place.disk, file), NO_SINK);
  if (!read.ok) return read;
  return placeBundle(place, file, buildOf(read.value.versionJson));
}

async function placeKit(
  place: Place,
  file: string,
  root: Uint8Array | null,
): Promise<Result<VersionJson, Fault>> {
  const { disk, layout, running } = place;
  const joined = root === null ? await readJoined(disk, layout.state) : ok({ pinnedRoot: root });
  if (!joined.ok)
    return err({ ...joined.error, hint: "Join first, or name the root to trust: --root FILE." });
  const opened = await openKit(
    {
      disk,
      stateDir: layout.state,
      pinnedRoot: joined.value.pinnedRoot,
      now: () => realClock.now(),
      builtAt: running.versionJson === null ? 0 : Date.parse(running.versionJson.builtAt) || 0,
    },
    { file, platform: running.platform, downloadDir: layout.download },
  );
  if (!opened.ok) return opened;
  const { bundle, path } = opened.value;
  try {
    const floor = await readFloor(disk, layout, running.build.version);
    if (belowFloor(bundle.custom.version, floor)) {
      return err({
        code: "below-floor",
        message: `Version ${bundle.custom.version} is below ${floor}, the oldest that the publisher still allows here.`,
        hint: "Nothing was installed. Export a newer one.",
      });
    }
    return await placeBundle(place, path, buildOf(bundle.custom));
  } finally {
    await removeDownload(disk, layout.download, bundle.sha256);
  }
}

/** Unpacks a bundle that is trusted, unless it lies there already, and runs its self-test. */
async function placeBundle(
  place: Place,
  archivePath: string,
  build: Build,
): Promise<Result<VersionJson, Fault>> {
  const { disk, layout, running, env, selfTestTimeoutMs } = place;
  const { platform } = running;
  const there = await findRelease(disk, layout, build);
  if (!there.ok) return there;
  const placed =
    there.value === null
      ? await placeRelease({ disk, layout, archivePath, expected: build, platform })
      : ok(there.value);
  if (!placed.ok) return placed;
  const fit = fits(placed.value, { platform, nodeVersion: process.versions.node, protocol: PROTOCOL });
  if (!fit.ok) return fit;
  const said: string[] = [];
  const tested = await createSelfTester({ env, selfTestTimeoutMs })(
    join(layout.releases, releaseName(build)),
    placed.value,
    { signal: new AbortController().signal, line: (text) => said.push(text) },
  );
  if (tested.ok) return placed;
  const last = said.at(-1);
  const message = `${showBuild(build)} did not pass its self-test: ${last ?? tested.error.message}`;
  return err({ ...tested.error, message });
}

async function write(disk: Disk, path: string, content: AsyncIterable<Uint8Array>): Promise<void> {
  await disk.rm(path);
  const file = await disk.open(path, "create", 0o600);
  try {
    for await (const chunk of content) await file.write(chunk);
  } finally {
    await file.close();
  }
}

const buildOf = ({ version, buildHash }: Build): Build => ({ version, buildHash });

/** The service does not run as root: what root has put there belongs to whom the directory belongs to. */
async function giveToOwner(root: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(root);
  if (uid === 0) return;
  for (const name of await readdir(root, { recursive: true })) await lchown(join(root, name), uid, gid);
}
