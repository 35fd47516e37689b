import { sameBuild, showBuild } from "../../../protocol/build.ts";
import type { Reason } from "../../../protocol/job.ts";
import type { RolloutNode } from "../../../protocol/rollout.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import { type FleetJob, type FleetNode, isEnded, type RolloutRecord } from "./rollout.ts";

/** What a node of a rollout has come to by itself; whose turn it is comes after. `open` asks for a job. */
export type Progressed = { readonly node: RolloutNode; readonly open: boolean };

export function progress(
  node: RolloutNode,
  seen: FleetNode | undefined,
  rollout: Pick<RolloutRecord, "release" | "retry" | "status">,
  now: EpochMs,
): Progressed {
  const stays = { node, open: false };
  if (seen === undefined) return isEnded(node) ? stays : ended(node, "skipped", REMOVED, now);
  if (isEnded(node)) return learnVerdict(node, seen);
  const job = node.jobId === null ? null : seen.job;
  if (job !== null) return { node: followJob(node, job, now), open: false };
  if (rollout.status !== "running") return stays;
  const skip = whySkip(seen, rollout);
  if (skip !== null) return ended(node, "skipped", skip, now);
  const wait = whyNoJob(seen);
  if (wait !== null) return { node: say({ ...node, from: seen.build }, wait), open: false };
  return { node: { ...node, from: seen.build, to: seen.target }, open: true };
}

/** A failed node that is proven to be back on its old build has rolled back. */
function learnVerdict(node: RolloutNode, { job }: FleetNode): Progressed {
  if (node.status !== "failed" || job?.reason?.code !== "rolled-back") return { node, open: false };
  return { node: { ...node, status: "rolled-back", reason: job.reason }, open: false };
}

function followJob(node: RolloutNode, job: FleetJob, now: EpochMs): RolloutNode {
  switch (job.status) {
    case "succeeded":
      return { ...node, status: "succeeded", reason: null, endedAt: now };
    case "failed": {
      const status = job.reason?.code === "rolled-back" ? "rolled-back" : "failed";
      return { ...node, status, reason: job.reason, endedAt: now };
    }
    case "cancelled":
      return { ...node, status: "skipped", reason: job.reason, endedAt: now };
    case "queued":
    case "running":
      return node.status === "pending" ? { ...node, status: "preparing", startedAt: now } : node;
  }
}

function whySkip(
  seen: FleetNode,
  { release, retry }: Pick<RolloutRecord, "release" | "retry">,
): Reason | null {
  const { build, target } = seen;
  if (build !== null && target !== null && sameBuild(build, target)) {
    return { code: "already-up-to-date", message: `It runs ${showBuild(build)} already.` };
  }
  if (seen.held && !retry) {
    return { code: "held", message: "It is held on its build since a rollback, until it is told to retry." };
  }
  if (seen.quarantined && !retry) {
    return {
      code: "quarantined",
      message: `It has quarantined ${release}, and does not try it again unasked.`,
    };
  }
  if (target === null && seen.platformKnown) {
    return { code: "no-build-for-platform", message: `${release} has no bundle for this node's platform.` };
  }
  return null;
}

function whyNoJob(seen: FleetNode): Reason | null {
  if (seen.otherJob !== null) {
    return { code: "update-in-progress", message: `Job ${seen.otherJob} is at work on it.` };
  }
  if (seen.presence === "offline") return { code: "node-offline", message: "It is offline." };
  if (seen.target === null)
    return { code: "not-heard", message: "It has not said yet which platform it is." };
  return null;
}

const REMOVED: Reason = { code: "removed", message: "The node was removed." };

const ended = (
  node: RolloutNode,
  status: RolloutNode["status"],
  reason: Reason,
  now: EpochMs,
): Progressed => ({ node: { ...node, status, reason, endedAt: now }, open: false });

/** Says why, and is the same object when it said so already: what did not change is not stored. */
export function say(node: RolloutNode, reason: Reason | null): RolloutNode {
  const same = node.reason?.code === reason?.code && node.reason?.message === reason?.message;
  return same ? node : { ...node, reason };
}
