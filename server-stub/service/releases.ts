import { compareBuild, prerelease } from "semver";
import type { Platform } from "../../protocol/build.ts";
import type { Release } from "../../protocol/release.ts";
import { ok } from "../../protocol/result.ts";
import type { Change } from "../store/records.ts";
import { actorOf, audit } from "./audit.ts";
import type { Context } from "./context.ts";
import type { Releases } from "./coordinator.ts";

/** Over the repository of signed metadata, which decides what is a release. */
export const createReleases = (ctx: Context): Releases => ({
  list: () => Promise.resolve(ctx.repository.releases()),
  async upload(by, sha256, body) {
    const stored = await ctx.repository.upload(sha256, body);
    if (!stored.ok) return stored;
    const { bytes } = stored.value;
    await ctx.store.apply([audit(ctx, actorOf(by), "bundle.uploaded", sha256, null, { bytes })]);
    return stored;
  },
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
      await ctx.store.apply([entry, ...news(before.releases, after.releases)]);
    }
    return ok(published.value);
  },
});

/** Which versions came, went, or are another build now. */
function news(before: readonly Release[], after: readonly Release[]): Change[] {
  const said = (releases: readonly Release[]) =>
    new Map(releases.map((release) => [release.version, JSON.stringify(release)]));
  const [old, fresh] = [said(before), said(after)];
  return [...new Set([...old.keys(), ...fresh.keys()])]
    .filter((version) => old.get(version) !== fresh.get(version))
    .map((version) => ({ kind: "announce", event: "release", subject: version }));
}

const versions = (releases: readonly Release[]) => releases.map((release) => release.version);

/** The highest version; a pre-release only where there is nothing else. Null when nothing is published. */
export function newestRelease(releases: readonly Release[]): string | null {
  const sorted = versions(releases).sort(compareBuild);
  return sorted.findLast((version) => prerelease(version) === null) ?? sorted.at(-1) ?? null;
}

/** What is published, read once for many nodes. */
export type Published = {
  readonly releases: readonly Release[];
  /** The newest with a bundle for that platform; null when there is none. Of all, while the platform is not known. */
  readonly newestFor: (platform: Platform | null) => string | null;
};

export function readPublished(ctx: Context): Published {
  const { releases } = ctx.repository.releases();
  const newest = new Map<Platform | null, string | null>();
  return {
    releases,
    newestFor(platform) {
      const known = newest.get(platform);
      if (known !== undefined) return known;
      const fits = ({ bundles }: Release) =>
        platform === null || bundles.some((bundle) => bundle.platform === platform);
      const found = newestRelease(releases.filter(fits));
      newest.set(platform, found);
      return found;
    },
  };
}
