/** The rollout as the API shows it, and when it should be over. Pure. */
import type { Rollout, RolloutNode, RolloutSummary } from "../../../protocol/rollout.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import type { Place, RolloutHead, RolloutRecord } from "./rollout.ts";

/** `now` is the wall clock. */
export function showRollout(record: RolloutRecord, now: EpochMs): Rollout {
  const { nodes, ...head } = record;
  return { ...showHead(head, now), nodes: nodes.map(showPlace) };
}

/** One of its nodes. */
export function showPlace({ retry: _retry, left: _left, ...node }: Place): RolloutNode {
  return node;
}

/** Without its nodes, as lists show it. */
export function showHead(head: RolloutHead, now: EpochMs): RolloutSummary {
  const {
    quorumGroups: _groups,
    pause: _pause,
    perNodeMs: _ms,
    rounds: _rounds,
    progressAt: _at,
    ...summary
  } = head;
  return { ...summary, estimatedEnd: estimatedEnd(head, now) };
}

/**
 * What is left to do, at what past jobs took, from when a node ended last: so it moves as the rollout does. Never
 * before `now`, and null while nothing is known, nothing is under way, or a person's word is waited for.
 */
function estimatedEnd(head: RolloutHead, now: EpochMs): EpochMs | null {
  const { perNodeMs, status, policy, stages, stage: at } = head;
  if (perNodeMs === null || (status !== "running" && status !== "pending")) return null;
  if (policy.pauseMs === null && at < stages.length - 1) return null;
  const { pending, preparing, updating } = head.counts;
  const later = stages.slice(at + 1);
  const here = stages[at]?.nodes ?? 0;
  const leftHere = pending + preparing + updating - later.reduce((sum, { nodes }) => sum + nodes, 0);
  const roundsHere = here === 0 ? 0 : Math.ceil((roundsOf(head, at) * Math.max(0, leftHere)) / here);
  const roundsLater = later.reduce((sum, _, index) => sum + roundsOf(head, at + 1 + index), 0);
  const since = head.progressAt ?? stages[at]?.startedAt ?? head.createdAt;
  const leftMs = (roundsHere + roundsLater) * perNodeMs + later.length * (policy.pauseMs ?? 0);
  return Math.max(now, since + leftMs);
}

const roundsOf = ({ rounds, stages, policy }: RolloutHead, stage: number): number =>
  rounds?.[stage] ?? Math.ceil((stages[stage]?.nodes ?? 0) / policy.concurrency);
