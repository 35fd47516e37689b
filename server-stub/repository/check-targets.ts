/** What the coordinator accepts as targets metadata, signatures and files apart; and the releases that it lists. */
import { type TargetEntry, TargetsMetadata } from "../../protocol/metadata.ts";
import { parse } from "../../protocol/parse.ts";
import type { Release } from "../../protocol/release.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import { MAX_BUNDLE_BYTES, ReleaseCustom, targetName } from "../../protocol/trust.ts";

export type ReleaseRefused = Fault<"release-refused">;

/** One bundle of a release as it was signed. */
export type SignedBundle = {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly custom: ReleaseCustom;
};

/**
 * Reads targets metadata as the repository serves it: every target a bundle under the name that its `custom`
 * demands, one bundle at most per version and platform, no delegations. Error: `release-refused`.
 */
export function readTargets(value: unknown): Result<TargetsMetadata, ReleaseRefused> {
  const parsed = parse(TargetsMetadata, value, "The targets metadata");
  if (!parsed.ok) return refused(parsed.error.message);
  const targets = parsed.value as TargetsMetadata;
  if ("delegations" in targets.signed) return refused("The targets metadata delegates, and Baton does not.");
  const seen = new Map<string, string>();
  const floors = new Map<string, string | undefined>();
  for (const [name, entry] of Object.entries(targets.signed.targets)) {
    const bundle = readBundle(name, entry);
    if (!bundle.ok) return bundle;
    const { version, platform, minVersion } = bundle.value.custom;
    if (floors.has(version) && floors.get(version) !== minVersion) {
      return refused(`The bundles of version ${version} do not agree on their minVersion.`);
    }
    floors.set(version, minVersion);
    const twin = seen.get(`${version} ${platform}`);
    if (twin !== undefined) {
      return refused(`Both ${twin} and ${name} are version ${version} for ${platform}.`);
    }
    seen.set(`${version} ${platform}`, name);
  }
  return ok(targets);
}

/** The bundles of metadata that `readTargets` let through. */
export const bundlesOf = (targets: TargetsMetadata): SignedBundle[] =>
  Object.entries(targets.signed.targets).flatMap(([name, entry]) => {
    const bundle = readBundle(name, entry);
    return bundle.ok ? [bundle.value] : [];
  });

/** What is signed, as the API lists it: one release per version, in no particular order. */
export function releasesOf(targets: TargetsMetadata): Release[] {
  const releases = new Map<string, Release>();
  for (const { name, bytes, sha256, custom } of bundlesOf(targets)) {
    const { version, minVersion = null, platform, buildHash, engines, protocol } = custom;
    const release = releases.get(version) ?? { version, minVersion, bundles: [] };
    release.bundles.push({
      platform,
      buildHash,
      target: name,
      bytes,
      sha256,
      engines: engines.node,
      protocol,
    });
    releases.set(version, release);
  }
  return [...releases.values()];
}

function readBundle(name: string, entry: TargetEntry): Result<SignedBundle, ReleaseRefused> {
  const custom = parse(ReleaseCustom, entry.custom, `What is signed of ${name}`);
  if (!custom.ok) return refused(custom.error.message);
  const wanted = targetName(custom.value, custom.value.platform);
  if (name !== wanted) return refused(`${name} should be called ${wanted} for what it is.`);
  if (entry.length > MAX_BUNDLE_BYTES) return refused(`${name} is larger than ${MAX_BUNDLE_BYTES} bytes.`);
  return ok({ name, bytes: entry.length, sha256: entry.hashes.sha256, custom: custom.value });
}

export const refused = (message: string): Result<never, ReleaseRefused> =>
  err({ code: "release-refused", message, hint: "Nothing was published; the releases are as they were." });
