import { compareBuild, prerelease } from "semver";
import type { Platform } from "../../protocol/build.ts";
import type { Release } from "../../protocol/release.ts";
import { ok } from "../../protocol/result.ts";
import { actorOf, audit } from "./audit.ts";
import type { Context } from "./context.ts";
import type { Releases } from "./coordinator.ts";

/** Over the repository of signed metadata, which decides what is a release. */
export const createReleases = (ctx: Context): Releases => ({
  list: () => Promise.resolve(ctx.repository.releases()),
  upload: (_by, sha256, body) => ctx.repository.upload(sha256, body),
  async publish(by, { targets, expectedTargetsVersion }) {
    const before = ctx.repository.releases();
    const published = await ctx.repository.publish(targets, expectedTargetsVersion);
    if (!published.ok) return published;
    const after = ctx.repository.releases();
    if (after.targetsVersion !== before.targetsVersion) {
      const entry = audit(
        ctx,
        actorOf(by),
        "release.published",
        `targets ${after.targetsVersion}`,
        { targetsVersion: before.targetsVersion, releases: versions(before.releases) },
        { targetsVersion: after.targetsVersion, releases: versions(after.releases) },
      );
      await ctx.store.apply([entry]);
    }
    return ok(published.value);
  },
});

const versions = (releases: readonly Release[]) => releases.map((release) => release.version);

/**
 * The highest version, of those with a bundle for a platform if one is named and there are any; a pre-release only
 * where there is nothing else. Null when nothing is published.
 */
export function newestRelease(
  releases: readonly Release[],
  platform: Platform | null = null,
): string | null {
  const fitting = releases.filter(({ bundles }) => bundles.some((bundle) => bundle.platform === platform));
  const sorted = versions(fitting.length === 0 ? releases : fitting).sort(compareBuild);
  return sorted.findLast((version) => prerelease(version) === null) ?? sorted.at(-1) ?? null;
}
