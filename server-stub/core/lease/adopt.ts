import { sameBuild } from "../../../protocol/build.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import { type LeaseToken, tokenEpoch } from "../../../protocol/token.ts";
import { holderOf, type InFlight, type LeaseRecord, withHolder } from "./record.ts";
import type { Report } from "./report.ts";
import type { LeasePolicy, Step } from "./view.ts";

/** A token of the last epoch of all was never given: were it believed, there would soon be none after it. */
const LAST_CLAIM: LeaseToken = Number.MAX_SAFE_INTEGER - 2 ** 32;

/**
 * Takes in a claim to be committing or swapping under a token that the record does not know. From an earlier
 * epoch, or above the last token given, it shows that writes were lost: the node is taken as in flight. A claim to
 * be *swapping* under any other token should be impossible; the node then counts as down until its last word.
 */
export function adopt(
  lease: LeaseRecord,
  report: Report,
  policy: LeasePolicy,
  now: EpochMs,
): Step<readonly LeaseToken[]> {
  const { journal, nodeId, build, instanceId } = report;
  if (journal.kind !== "committing" && journal.kind !== "swapping") return { lease, outcome: [] };
  const { token } = journal;
  const known =
    lease.holders.some((holder) => holder.nodeId === nodeId && holder.token === token) ||
    lease.broken.some((broken) => broken.nodeId === nodeId && broken.token === token) ||
    report.finalWords.some((word) => word.token === token);
  if (known) return { lease, outcome: [] };
  const swapping = journal.kind === "swapping" ? journal : null;
  const isLost = token > lease.lastToken || tokenEpoch(token) < policy.epoch;
  // On the new build already, the process that committed is gone, and nobody knows which it was.
  const committer = swapping !== null && sameBuild(swapping.to, build) ? null : instanceId;
  const lastToken = token > LAST_CLAIM ? lease.lastToken : Math.max(lease.lastToken, token);
  if (isLost && holderOf(lease, nodeId)?.phase !== "in-flight") {
    const holder: InFlight = {
      phase: "in-flight",
      token,
      nodeId,
      jobId: swapping?.jobId ?? null,
      from: swapping?.from ?? build,
      to: swapping?.to ?? null,
      instanceId: committer,
      sinceMs: now,
      countedFromMs: now,
      actWithinMs: policy.maxActWithinMs,
    };
    return { lease: { ...withHolder(lease, holder), lastToken }, outcome: [token] };
  }
  if (swapping === null) return { lease, outcome: [] };
  const broken = {
    token,
    nodeId,
    jobId: swapping.jobId,
    to: swapping.to,
    instanceId: committer,
    atMs: now,
    reason: "The node says that it is swapping under a token that is not on record.",
  };
  return { lease: { ...lease, lastToken, broken: [...lease.broken, broken] }, outcome: [token] };
}
