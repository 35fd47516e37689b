/** Which build a node should run when no rollout says so, and whether to bring it there. Pure. */
import {
  type Build,
  DEVELOPMENT_VERSION,
  type Platform,
  sameBuild,
  showBuild,
} from "../../protocol/build.ts";
import type { NodeHoldings } from "../../protocol/frames.ts";
import type { Reason } from "../../protocol/job.ts";
import type { Channel } from "../../protocol/policy.ts";
import type { Release } from "../../protocol/release.ts";
import type { DurationMs, EpochMs } from "../../protocol/time.ts";
import type { JobRecord } from "./job/job.ts";
import { JOB_CANCELLED } from "./job/outcome.ts";

/** A release and since when it is wanted. */
export type Wanted = { readonly release: string; readonly at: EpochMs };

/**
 * What a node should be on outside rollouts: its group's last completed rollout, unless a later one that ended
 * early has already moved this very node; that one's work is left as it is. Where no rollout has been, the release of
 * the channel that the group follows.
 */
export function wantedFor(
  group: Wanted | null,
  node: Wanted | null,
  channel: Wanted | null = null,
): string | null {
  if (group === null) return (node ?? channel)?.release ?? null;
  return node !== null && node.at > group.at ? node.release : group.release;
}

/**
 * Only a channel says where this node should be, and has said so since the node joined: to bring it there is a
 * rollout's affair, or the channel would move every node that follows it at once, without stages. Who joins later is
 * brought there like anybody who joins late.
 * Source: docs/adr/0074-channels.md.
 */
export const waitsForRollout = (
  group: Wanted | null,
  node: Wanted | null,
  channel: Wanted | null,
  joinedAt: EpochMs,
): boolean => group === null && node === null && channel !== null && joinedAt < channel.at;

/** The release that a channel wants of those who follow it, and since when it does of this follower. */
export const wantedByChannel = (
  channel: Pick<Channel, "release" | "promotedAt"> | null,
  followsSince: EpochMs | null,
): Wanted | null =>
  channel === null || channel.release === null
    ? null
    : { release: channel.release, at: Math.max(channel.promotedAt ?? 0, followsSince ?? 0) };

/**
 * Where a job that has just succeeded leaves its node for good, when that is another release than the one wanted of it:
 * somebody asked for it by name. Null when nothing is to be remembered: where nothing is wanted, nothing would take it
 * back, and the next `update-now` is to find what is newest then.
 */
export function movedBy(job: JobRecord, wanted: string | null): Wanted | null {
  const { kind, status, cause, rolloutId, release, createdAt } = job;
  const isAsked = kind === "update" && status === "succeeded" && rolloutId === null && cause !== "catch-up";
  const isElsewhere = wanted !== null && release !== wanted;
  return isAsked && release !== null && isElsewhere ? { release, at: createdAt } : null;
}

/** The release's build for a platform; null when there is none, or when either is not known. */
export function buildFor(
  releases: readonly Release[],
  version: string | null,
  platform: Platform | null,
): Build | null {
  const release = releases.find((each) => each.version === version);
  const bundle = release?.bundles.find((each) => each.platform === platform);
  return release === undefined || bundle === undefined
    ? null
    : { version: release.version, buildHash: bundle.buildHash };
}

/** Another build than the one wanted, where both are known; a development tree is never behind. */
export const isBehind = (runs: Build | null, wanted: Build | null): boolean =>
  runs !== null && wanted !== null && runs.version !== DEVELOPMENT_VERSION && !sameBuild(runs, wanted);

/** Why this node will not try that build unasked; null when it will. */
export function refusesUnasked(holdings: NodeHoldings, build: Build): Reason | null {
  if (holdings.hold) {
    return { code: "held", message: "It is held on its build since a rollback, until it is told to retry." };
  }
  const entry = holdings.quarantine.find((each) => sameBuild(each.build, build));
  if (entry === undefined) return null;
  return {
    code: "quarantined",
    message: `It has quarantined ${showBuild(build)}: ${entry.reason.message}`,
  };
}

/** How long a catch-up that failed before any lease is left alone. */
const CATCH_UP_PAUSE_MS: DurationMs = 600_000;

/** Failures that are over as soon as the node no longer refuses the build, which is looked at anyway. */
const LIFTED: readonly string[] = ["held", "quarantined"];

/**
 * Whether a node that joined late or drifted is to be brought to `wanted` now; null leaves it. Held and quarantined
 * nodes are not chased, a failure is not repeated at once, and what somebody has cancelled not at all.
 */
export function catchUp(
  node: {
    readonly runs: Build | null;
    readonly wanted: Build | null;
    readonly holdings: NodeHoldings | null;
  },
  lastJob: JobRecord | null,
  now: EpochMs,
): Build | null {
  const { runs, wanted, holdings } = node;
  if (wanted === null || holdings === null || !isBehind(runs, wanted)) return null;
  if (refusesUnasked(holdings, wanted) !== null) return null;
  if (lastJob === null || lastJob.to === null || !sameBuild(lastJob.to, wanted)) return wanted;
  const why = lastJob.reason?.code ?? "";
  const isCancelled = lastJob.status === "cancelled" && why === JOB_CANCELLED;
  const agoMs = now - (lastJob.endedAt ?? 0);
  // Less than nothing: the wall clock was set back since, and nobody knows how long ago it was.
  const isLate = agoMs >= 0 && agoMs < CATCH_UP_PAUSE_MS;
  const failedLately = lastJob.status === "failed" && !LIFTED.includes(why) && isLate;
  return isCancelled || failedLately ? null : wanted;
}
