/** What a node of a rollout has come to by itself. Pure. */
import { sameBuild, showBuild } from "../../../protocol/build.ts";
import type { Reason } from "../../../protocol/job.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import { type FleetJob, type FleetNode, isEnded, type Place, type RolloutRecord } from "./rollout.ts";

/** Whose turn it is comes after. `open` asks for a job. */
export type Progressed = { readonly node: Place; readonly open: boolean };

export function progress(
  node: Place,
  seen: FleetNode | undefined,
  rollout: Pick<RolloutRecord, "release" | "kind" | "status">,
  now: EpochMs,
): Progressed {
  const stays = { node, open: false };
  if (seen === undefined) return isEnded(node) ? stays : ended(node, "skipped", REMOVED, now);
  if (isEnded(node)) return learnVerdict(node, seen);
  const job = node.jobId === null ? null : seen.job;
  if (job !== null) return { node: followJob(node, job, now), open: false };
  if (rollout.status !== "running") return stays;
  if (seen.connecting) return { node: say(node, CONNECTING), open: false };
  const skip = rollout.kind === "rollback" ? whyNotBack(node, seen) : whySkip(node, seen, rollout.release);
  if (skip !== null) return ended(node, "skipped", skip, now);
  const wait = whyNoJob(seen, rollout.kind);
  if (wait !== null) return { node: say(from(node, seen), wait), open: false };
  const to = rollout.kind === "rollback" ? node.to : seen.target;
  return { node: { ...node, from: seen.build, to }, open: true };
}

/** A failed node that is proven to be back on its old build has rolled back. */
function learnVerdict(node: Place, { job }: FleetNode): Progressed {
  if (node.status !== "failed" || job?.reason?.code !== "rolled-back") return { node, open: false };
  return { node: { ...node, status: "rolled-back", reason: job.reason }, open: false };
}

function followJob(node: Place, job: FleetJob, now: EpochMs): Place {
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

function whySkip({ retry }: Place, seen: FleetNode, release: string): Reason | null {
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

/** Only what `dist.bak` names can be gone back to. */
function whyNotBack({ to }: Place, { build, backup }: FleetNode): Reason | null {
  if (to === null) return { code: "no-backup", message: "Nobody knows what it ran before." };
  if (build !== null && sameBuild(build, to)) {
    return { code: "already-up-to-date", message: `It runs ${showBuild(build)} already.` };
  }
  if (build === null || (backup !== null && sameBuild(backup, to))) return null;
  const has = backup === null ? "it has none" : `that is ${showBuild(backup)}`;
  return {
    code: "no-backup",
    message: `It ran ${showBuild(to)} before, and of builds to go back to ${has}.`,
  };
}

function whyNoJob(seen: FleetNode, kind: RolloutRecord["kind"]): Reason | null {
  if (seen.otherJob !== null) {
    return { code: "update-in-progress", message: `Job ${seen.otherJob} is at work on it.` };
  }
  if (seen.presence === "offline") return { code: "node-offline", message: "It is offline." };
  if (kind === "rollback") return seen.build === null ? NOT_HEARD : null;
  return seen.target === null ? NOT_HEARD : null;
}

const NOT_HEARD: Reason = { code: "not-heard", message: "It has not said yet which platform it is." };
const CONNECTING: Reason = { code: "not-heard", message: "It has just connected." };
const REMOVED: Reason = { code: "removed", message: "The node was removed." };

const from = (node: Place, { build }: FleetNode): Place =>
  node.from === build || (node.from !== null && build !== null && sameBuild(node.from, build))
    ? node
    : { ...node, from: build };

const ended = (node: Place, status: Place["status"], reason: Reason, now: EpochMs): Progressed => ({
  node: { ...node, status, reason, endedAt: now },
  open: false,
});

/** Says why, and is the same object when it said so already: what did not change is not stored. */
export function say(node: Place, reason: Reason | null): Place {
  const same = node.reason?.code === reason?.code && node.reason?.message === reason?.message;
  return same ? node : { ...node, reason };
}
