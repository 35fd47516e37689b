/** What verified metadata says of releases. */
import type { Targets } from "@tufjs/models";
import type { Build, Platform } from "../../../protocol/build.ts";
import { parse } from "../../../protocol/parse.ts";
import { err, type Fault, ok, type Result } from "../../../protocol/result.ts";
import { ReleaseCustom, targetName } from "../../../protocol/trust.ts";

/** A bundle that the publisher's keys have signed. */
export type SignedBundle = {
  /** Name in the targets metadata. */
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly custom: ReleaseCustom;
};

/** The bundles that can be read. Others, signed for agents of another time, are left out. */
export const bundlesIn = (targets: Targets): SignedBundle[] =>
  Object.entries(targets.targets).flatMap(([name, file]) => {
    const custom = parse(ReleaseCustom, file.custom, name);
    const { sha256 } = file.hashes;
    if (!custom.ok || sha256 === undefined || !/^[0-9a-f]{64}$/.test(sha256)) return [];
    if (name !== targetName(custom.value, custom.value.platform)) return [];
    return [{ name, bytes: file.length, sha256, custom: custom.value }];
  });

/**
 * The bundle of a build for a platform. Errors: `not-signed` (the publisher has signed no such version, or another
 * build of it), `no-build-for-platform`.
 */
export function resolveBundle(
  bundles: readonly SignedBundle[],
  build: Build,
  platform: Platform,
): Result<SignedBundle, Fault<"not-signed" | "no-build-for-platform">> {
  const { version, buildHash } = build;
  const ofVersion = bundles.filter(({ custom }) => custom.version === version);
  const bundle = ofVersion.find(({ custom }) => custom.platform === platform);
  if (bundle?.custom.buildHash === buildHash) return ok(bundle);
  const context = { version, buildHash, platform };
  if (bundle !== undefined) {
    return err({
      code: "not-signed",
      message: `The publisher has signed build ${bundle.custom.buildHash.slice(0, 12)} of version ${version}, not ${buildHash.slice(0, 12)}.`,
      hint: "It is tried again when the coordinator names the build that is signed now.",
      context,
    });
  }
  if (ofVersion.length > 0) {
    return err({
      code: "no-build-for-platform",
      message: `Version ${version} has no bundle for ${platform}.`,
      hint: `Publish one for ${platform} as well.`,
      context,
    });
  }
  return err({
    code: "not-signed",
    message: `The publisher has not signed version ${version}.`,
    hint: "Nothing that is not signed is installed, whatever the coordinator says. Publish it with `baton publish`.",
    context,
  });
}
