import { sameBuild } from "../../../protocol/build.ts";
import type { Reason } from "../../../protocol/job.ts";
import type { FinalWord } from "../../../protocol/journal.ts";
import type { JobId, NodeId } from "../../../protocol/names.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import type { LeaseToken } from "../../../protocol/token.ts";
import { adopt } from "./adopt.ts";
import { type Broken, type Holder, holderOf, type LeaseRecord, withoutHolder } from "./record.ts";
import type { Report } from "./report.ts";
import type { LeasePolicy, Step } from "./view.ts";

/**
 * How a lease came back. A word is the node's own, but a reservation whose process is gone was not acted on either; `back` is a new instance with an idle journal on the build that
 * it came from; `idle` is an idle journal where nobody knows any more who committed, or after a break.
 */
export type Proof = FinalWord["word"] | "back" | "idle";

export type Settled = {
  readonly token: LeaseToken;
  readonly nodeId: NodeId;
  readonly jobId: JobId | null;
  readonly proof: Proof;
  readonly phase: Holder["phase"] | "broken";
  readonly reason: Reason | null;
};

export type Settlement = {
  readonly settled: readonly Settled[];
  /** A claim to be committing or swapping that the record knew nothing of, and now does. */
  readonly adopted: readonly LeaseToken[];
  /** Words that the record owes nothing to any more: the node may stop repeating them. */
  readonly acknowledged: readonly LeaseToken[];
};

/** Takes in a report. Repeating one changes nothing; a claim of `committing` or `swapping` never returns anything. */
export function settle(
  lease: LeaseRecord,
  report: Report,
  policy: LeasePolicy,
  now: EpochMs,
): Step<Settlement> {
  const adoption = adopt(lease, report, policy, now);
  let next = adoption.lease;
  const settled: Settled[] = [];
  const own = holderOf(next, report.nodeId);
  const proof = own === undefined ? null : proofOf(own, report);
  if (own !== undefined && proof !== null) {
    next = withoutHolder(next, own.token);
    settled.push({ ...proof, token: own.token, nodeId: own.nodeId, jobId: own.jobId, phase: own.phase });
  }
  for (const broken of next.broken) {
    const ended = endOfBroken(broken, report);
    if (ended === null) continue;
    next = { ...next, broken: next.broken.filter((other) => other !== broken) };
    const { token, nodeId, jobId } = broken;
    settled.push({ ...ended, token, nodeId, jobId, phase: "broken" });
  }
  const owed = new Set([
    ...next.holders.filter((holder) => holder.nodeId === report.nodeId).map((holder) => holder.token),
    ...next.broken.filter((broken) => broken.nodeId === report.nodeId).map((broken) => broken.token),
  ]);
  const acknowledged = report.finalWords.map((word) => word.token).filter((token) => !owed.has(token));
  return { lease: next, outcome: { settled, adopted: adoption.outcome, acknowledged } };
}

type Ended = { readonly proof: Proof; readonly reason: Reason | null };

function proofOf(own: Holder, report: Report): Ended | null {
  const word = report.finalWords.find((each) => each.token === own.token);
  if (word !== undefined) return { proof: word.word, reason: word.reason };
  if (report.journal.kind !== "idle") return null;
  if (own.phase === "reserved") {
    // The process that reserved is gone and nothing was begun: nobody is left to use this token, nor has it failed.
    return report.instanceId === own.instanceId ? null : { proof: "not-acted", reason: null };
  }
  if (own.instanceId === null) return { proof: "idle", reason: null };
  if (own.instanceId === report.instanceId) return null;
  const isBack = own.from !== null && sameBuild(own.from, report.build);
  return isBack ? { proof: "back", reason: null } : null;
}

function endOfBroken(broken: Broken, report: Report): Ended | null {
  if (broken.nodeId !== report.nodeId) return null;
  const word = report.finalWords.find((each) => each.token === broken.token);
  if (word !== undefined) return { proof: word.word, reason: word.reason };
  // The process that committed may still be about to flip, and so may its guard, whatever it says of its journal.
  const isNew = broken.instanceId === null || broken.instanceId !== report.instanceId;
  return isNew && report.journal.kind === "idle" ? { proof: "idle", reason: null } : null;
}
