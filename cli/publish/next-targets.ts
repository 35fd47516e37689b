/**
 * The targets metadata that a publish makes, as a pure function of what is published and what is new. There is one
 * bundle at most per version and platform: the same version with another hash is another build, and takes the
 * place of the old one only when that is said.
 */
import { gt, valid } from "semver";
import { showBuild } from "../../protocol/build.ts";
import { SPEC_VERSION, type TargetEntry, type TargetsSigned, tufInstant } from "../../protocol/metadata.ts";
import { parse } from "../../protocol/parse.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import type { EpochMs } from "../../protocol/time.ts";
import { ReleaseCustom, targetName } from "../../protocol/trust.ts";
import type { BundleFile } from "./bundle.ts";

export type NewRelease = {
  readonly bundles: readonly Omit<BundleFile, "file">[];
  /** Nodes that confirm this release never go below this version again. */
  readonly minVersion?: string;
  /** Lets a bundle take the place of another build of the same version. */
  readonly rebuild?: boolean;
};

export type PublishRefused = Fault<
  "several-versions" | "twice-the-platform" | "bad-min-version" | "development-build" | "version-exists"
>;

type Targets = Record<string, TargetEntry>;

/** The next targets metadata. With no bundles, it renews what is signed. */
export function nextTargets(
  current: TargetsSigned | null,
  release: NewRelease,
  expiresAt: EpochMs,
): Result<TargetsSigned, PublishRefused> {
  const sound = checkRelease(release);
  if (!sound.ok) return sound;
  let targets: Targets = { ...current?.targets };
  for (const bundle of release.bundles) {
    const added = addBundle(targets, release, bundle);
    if (!added.ok) return added;
    targets = added.value;
  }
  return ok({
    ...(current ?? { _type: "targets", spec_version: SPEC_VERSION }),
    version: (current?.version ?? 0) + 1,
    expires: tufInstant(expiresAt),
    targets: agreeOnFloor(targets, release),
  });
}

function checkRelease({ bundles, minVersion }: NewRelease): Result<void, PublishRefused> {
  const versions = [...new Set(bundles.map(({ versionJson }) => versionJson.version))];
  if (versions.length > 1) {
    return refused("several-versions", `The bundles are of several versions: ${versions.join(", ")}.`);
  }
  const platforms = bundles.map(({ versionJson }) => versionJson.platform);
  const twice = platforms.find((platform, index) => platforms.indexOf(platform) !== index);
  if (twice !== undefined) return refused("twice-the-platform", `Two of the bundles are for ${twice}.`);
  const [version] = versions;
  if (minVersion !== undefined && valid(minVersion) === null) {
    return refused("bad-min-version", `${minVersion} is not a version.`);
  }
  if (version?.startsWith("0.0.0-dev") === true) {
    return refused("development-build", `${version} is the version of a development tree.`);
  }
  if (version !== undefined && minVersion !== undefined && gt(minVersion, version)) {
    return refused("bad-min-version", `The floor ${minVersion} would forbid the very version ${version}.`);
  }
  return ok(undefined);
}

function addBundle(
  targets: Targets,
  { minVersion, rebuild = false }: NewRelease,
  { bytes, sha256, versionJson }: NewRelease["bundles"][number],
): Result<Targets, PublishRefused> {
  const { version, buildHash, platform, engines, protocol, builtAt, gitCommit } = versionJson;
  const twin = Object.keys(targets).find((other) => {
    const old = customOf(targets[other]);
    return old?.version === version && old.platform === platform;
  });
  const published = twin === undefined ? null : customOf(targets[twin]);
  if (twin !== undefined && published !== null && targets[twin]?.hashes.sha256 !== sha256 && !rebuild) {
    return refused(
      "version-exists",
      `Version ${version} for ${platform} is published already, as another build: ${showBuild(published)}; this one is ${showBuild(versionJson)}.`,
      "Give the new build a version of its own, or say --rebuild to put it in the place of the old one.",
    );
  }
  // What was said once holds until something else is said: a floor does not vanish by publishing again.
  const floor = minVersion ?? published?.minVersion;
  const custom: ReleaseCustom = {
    version,
    buildHash,
    platform,
    engines,
    protocol,
    builtAt,
    gitCommit,
    ...(floor !== undefined && { minVersion: floor }),
    ...(published?.channel !== undefined && { channel: published.channel }),
  };
  const name = targetName(versionJson, platform);
  const rest = Object.fromEntries(Object.entries(targets).filter(([other]) => other !== twin));
  return ok({ ...rest, [name]: { length: bytes, hashes: { sha256 }, custom } });
}

/** All bundles of a version carry one floor: the one that was given last. */
function agreeOnFloor(targets: Targets, { bundles, minVersion }: NewRelease): Targets {
  const version = bundles[0]?.versionJson.version;
  if (version === undefined) return targets;
  const customs = Object.values(targets).map(customOf);
  const floor =
    minVersion ?? customs.find((custom) => custom?.version === version && custom.minVersion)?.minVersion;
  if (floor === undefined) return targets;
  return Object.fromEntries(
    Object.entries(targets).map(([name, entry]) =>
      customOf(entry)?.version === version
        ? [name, { ...entry, custom: { ...entry.custom, minVersion: floor } }]
        : [name, entry],
    ),
  );
}

function customOf(entry: TargetEntry | undefined): ReleaseCustom | null {
  const custom = parse(ReleaseCustom, entry?.custom, "custom");
  return custom.ok ? custom.value : null;
}

const refused = (
  code: PublishRefused["code"],
  message: string,
  hint = "Nothing was published.",
): Result<never, PublishRefused> => err({ code, message, hint });
