/** Why a node is not touched by a rollout, known before it begins. Pure; says nothing of who is there. */
import satisfies from "semver/functions/satisfies.js";
import { sameBuild, showBuild } from "../../../protocol/build.ts";
import type { Reason } from "../../../protocol/job.ts";
import type { Release } from "../../../protocol/release.ts";
import { belowFloor } from "../../../protocol/trust.ts";
import { refusesUnasked } from "../desired.ts";
import type { PlanKnown, PlanNode, PlanRequest } from "./world.ts";

/** Reasons that keep a build from running on a node at all: with one in a quorum group nothing is begun. */
export const UNFIT = ["no-build-for-platform", "wrong-engine", "wrong-protocol", "below-floor"] as const;
export type Unfit = (typeof UNFIT)[number];

export type Bundle = Release["bundles"][number];

/** What is looked up for many nodes. */
export type Shelves = {
  readonly bundle: (platform: string) => Bundle | undefined;
  /** Of any release, by the build that it is. */
  readonly published: (
    buildHash: string,
  ) => { readonly release: Release; readonly bundle: Bundle } | undefined;
  /** Whether a version of Node is within a range. */
  readonly runsOn: (runtime: string, engines: string) => boolean;
};

export function shelvesOf(target: Release, releases: readonly Release[]): Shelves {
  const bundles = new Map(target.bundles.map((bundle) => [bundle.platform as string, bundle]));
  const published = new Map(
    releases.flatMap((release) => release.bundles.map((bundle) => [bundle.buildHash, { release, bundle }])),
  );
  const within = new Map<string, boolean>();
  return {
    bundle: (platform) => bundles.get(platform),
    published: (hash) => published.get(hash),
    runsOn(runtime, engines) {
      const key = `${runtime} ${engines}`;
      const known = within.get(key) ?? satisfies(runtime, engines, { includePrerelease: true });
      within.set(key, known);
      return known;
    },
  };
}

/** Null when it takes part. A node that was never heard takes part: nothing is known of it. */
export function whyLeftOut(
  { known }: Pick<PlanNode, "known">,
  { release: { version }, retry }: Pick<PlanRequest, "release" | "retry">,
  shelves: Shelves,
): Reason | null {
  if (known === null) return null;
  const bundle = shelves.bundle(known.platform);
  if (bundle === undefined) {
    return { code: "no-build-for-platform", message: `${version} has no bundle for ${known.platform}.` };
  }
  const to = { version, buildHash: bundle.buildHash };
  if (sameBuild(known.build, to)) {
    return { code: "already-up-to-date", message: `It runs ${showBuild(known.build)} already.` };
  }
  const refuses = retry ? null : refusesUnasked(known.holdings, to);
  return refuses ?? whyUnfit(known, bundle, version, shelves);
}

function whyUnfit(known: PlanKnown, bundle: Bundle, version: string, shelves: Shelves): Reason | null {
  const runs = shelves.published(known.build.buildHash);
  // Who runs on a Node of its own bundle says nothing of the one that would run this build.
  const runtime = runs?.bundle.engines === "*" ? null : known.runtime;
  if (runtime !== null && !shelves.runsOn(runtime, bundle.engines)) {
    return {
      code: "wrong-engine",
      message: `${version} needs Node ${bundle.engines}, and it has ${runtime}.`,
    };
  }
  if (known.protocol !== null && Math.abs(bundle.protocol - known.protocol) > 1) {
    return {
      code: "wrong-protocol",
      message: `${version} speaks protocol ${bundle.protocol}, and its agent ${known.protocol}: no further than one apart will do.`,
    };
  }
  const floor = runs?.release.minVersion ?? null;
  if (!belowFloor(version, floor)) return null;
  return {
    code: "below-floor",
    message: `${version} is below ${floor}, which ${known.build.version} set as the oldest for it.`,
  };
}
