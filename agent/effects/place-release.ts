import { join } from "node:path";
import { type Build, type Platform, releaseName, type VersionJson } from "../../protocol/build.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import type { Disk } from "./disk.ts";
import { diskFault } from "./disk-fault.ts";
import { hasCode, renameDurably } from "./durable.ts";
import { type Layout, PREPARING_PREFIX } from "./layout.ts";
import { readLinkOrNull } from "./placed.ts";
import { readSeal, seal, verifyRelease } from "./release.ts";
import { unpackBundle } from "./unpack.ts";

export type PlaceRequest = {
  readonly disk: Disk;
  readonly layout: Layout;
  /** The bundle's bytes, verified against what was signed. */
  readonly archivePath: string;
  readonly expected: Build;
  readonly platform: Platform;
};

/**
 * Unpacks a verified bundle into `releases/<version>-<hash12>`, complete and durable. It is made aside, sealed last,
 * and only then gets its name; a crash before that leaves a `.prepare-*` that the next start removes.
 */
export async function placeRelease(request: PlaceRequest): Promise<Result<VersionJson, Fault>> {
  const { disk, layout, archivePath, expected, platform } = request;
  const name = releaseName(expected);
  const aside = join(layout.releases, `${PREPARING_PREFIX}${expected.buildHash.slice(0, 12)}`);
  try {
    await disk.rm(aside);
    const unpacked = await unpackBundle({ disk, archivePath, into: aside, expected, platform });
    if (!unpacked.ok) return unpacked;
    await seal(disk, aside, unpacked.value);
    await makeRoom(disk, join(layout.releases, name));
    await renameDurably(disk, aside, join(layout.releases, name));
    return unpacked;
  } catch (cause) {
    await disk.rm(aside);
    return err(diskFault(cause, `unpack ${name}`));
  }
}

/**
 * A release that lies there already, hashed again; null when there is none that is whole. One that is damaged is
 * unsealed and removed, unless `dist` or `dist.bak` names it: then it is a fault, since what is in use is never touched.
 */
export async function findRelease(
  disk: Disk,
  layout: Layout,
  build: Build,
): Promise<Result<VersionJson | null, Fault>> {
  const name = releaseName(build);
  const dir = join(layout.releases, name);
  if ((await readSeal(disk, dir)) === null) return ok(null);
  const verified = await verifyRelease(disk, dir, build);
  if (verified.ok) return verified;
  for (const link of [layout.dist, layout.backup]) {
    if ((await readLinkOrNull(disk, link)) === `releases/${name}`) return verified;
  }
  await makeRoom(disk, dir);
  return ok(null);
}

async function makeRoom(disk: Disk, dir: string): Promise<void> {
  try {
    await disk.unlink(join(dir, ".complete"));
  } catch (cause) {
    if (!hasCode(cause, "ENOENT")) throw cause;
  }
  await disk.rm(dir);
}
