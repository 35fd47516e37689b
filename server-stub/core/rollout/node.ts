/** What a node of a rollout has come to by itself. Pure. */
import { sameBuild, showBuild } from "../../../protocol/build.ts";
import type { Reason } from "../../../protocol/job.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import { arrived, because, NODE_OFFLINE, sameReason } from "./reasons.ts";
import {
  type FleetJob,
  type FleetNode,
  type Gone,
  isEnded,
  type Place,
  type RolloutRecord,
} from "./rollout.ts";

/** Whose turn it is comes after. `open` asks for a job. */
export type Progressed = { readonly node: Place; readonly open: boolean };

type About = Pick<RolloutRecord, "release" | "kind" | "status">;

export function progress(node: Place, seen: FleetNode | Gone, rollout: About, wallMs: EpochMs): Progressed {
  if (seen.kind === "gone") return stays(isEnded(node) ? node : skipped(node, seen.reason, wallMs));
  if (isEnded(node)) return stays(learnVerdict(node, seen));
  if (node.jobId !== null && seen.job !== null) return stays(followJob(node, seen.job, rollout.kind, wallMs));
  if (rollout.status !== "running") return stays(node);
  // Whatever is at work on it may change what it runs, so nothing is concluded from that before.
  const wait = whyWait(seen);
  if (wait !== null) return stays(say(from(node, seen), wait));
  const skip = rollout.kind === "rollback" ? whyNotBack(node, seen, rollout) : whySkip(node, seen, rollout);
  if (skip !== null) return stays(skipped(from(node, seen), skip, wallMs));
  const unknown = whyNoJob(seen, rollout.kind);
  if (unknown !== null) return stays(say(from(node, seen), unknown));
  const to = rollout.kind === "rollback" ? node.to : seen.target;
  return { node: { ...node, from: seen.build, to, reason: JOB_OPENED }, open: true };
}

const stays = (node: Place): Progressed => ({ node, open: false });

/** A failed node that is proven to be back on its old build has rolled back. */
function learnVerdict(node: Place, { job }: FleetNode): Place {
  const learns = node.status === "failed" && job?.reason?.code === "rolled-back";
  return learns ? { ...node, status: "rolled-back", reason: job.reason } : node;
}

function followJob(node: Place, job: FleetJob, kind: About["kind"], wallMs: EpochMs): Place {
  switch (job.status) {
    case "succeeded":
      return { ...node, status: "succeeded", reason: arrived(node, kind), endedAt: wallMs };
    case "failed": {
      const status = job.reason?.code === "rolled-back" ? "rolled-back" : "failed";
      return { ...node, status, reason: job.reason ?? NO_REASON, endedAt: wallMs };
    }
    case "cancelled":
      return { ...node, status: "skipped", reason: job.reason ?? NO_REASON, endedAt: wallMs };
    case "queued":
    case "running":
      return node.status === "pending" ? { ...node, status: "preparing", startedAt: wallMs } : node;
  }
}

function whyWait({ connecting, otherJob, presence }: FleetNode): Reason | null {
  if (connecting) return because("not-heard", "It has just connected.");
  if (otherJob !== null) return because("update-in-progress", `Job ${otherJob} is at work on it.`);
  return presence === "offline" ? because(NODE_OFFLINE, "It is offline.") : null;
}

function whySkip({ retry }: Place, seen: FleetNode, { release }: About): Reason | null {
  const { build, target, refuses } = seen;
  if (build !== null && target !== null && sameBuild(build, target)) return alreadyThere(build);
  if (refuses !== null && !retry) return refuses;
  if (target !== null || !seen.platformKnown) return null;
  return because("no-build-for-platform", `${release} has no bundle for this node's platform.`);
}

/** Only what `dist.bak` names can be gone back to, and only from the build that is to be taken back. */
function whyNotBack({ to }: Place, { build, backup }: FleetNode, { release }: About): Reason | null {
  if (to === null) return because("no-backup", "Nobody knows what it ran before.");
  if (build === null) return null;
  if (sameBuild(build, to)) return alreadyThere(build);
  if (build.version !== release) {
    return because(
      "moved-on",
      `It runs ${showBuild(build)} by now, and not the ${release} that is taken back.`,
    );
  }
  if (backup !== null && sameBuild(backup, to)) return null;
  const has = backup === null ? "nothing" : showBuild(backup);
  return because("no-backup", `It ran ${showBuild(to)} before, and keeps ${has} to go back to.`);
}

const alreadyThere = (build: Parameters<typeof showBuild>[0]): Reason =>
  because("already-up-to-date", `It runs ${showBuild(build)} already.`);

function whyNoJob({ build, target }: FleetNode, kind: About["kind"]): Reason | null {
  const known = kind === "rollback" ? build : target;
  return known === null ? NOT_HEARD : null;
}

const NOT_HEARD = because("not-heard", "It has not said yet which build and platform it is.");
const JOB_OPENED = because("preparing", "It is told to get ready.");
const NO_REASON = because("no-reason", "Its job gave no reason.");

const from = (node: Place, { build }: FleetNode): Place =>
  node.from === build || (node.from !== null && build !== null && sameBuild(node.from, build))
    ? node
    : { ...node, from: build };

export const skipped = (node: Place, reason: Reason, wallMs: EpochMs): Place => ({
  ...node,
  status: "skipped",
  reason,
  endedAt: wallMs,
});

/** Says why, and is the same object when it said so already. */
export const say = (node: Place, reason: Reason | null): Place =>
  sameReason(node.reason, reason) ? node : { ...node, reason };
