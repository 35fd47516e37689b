/** A rollout as the API shows it. Pure. */
import type { Rollout, RolloutSummary } from "../../../protocol/rollout.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import type { RolloutHead, RolloutRecord } from "./rollout.ts";

export function showRollout(record: RolloutRecord): Rollout {
  const { nodes, ...head } = record;
  return { ...showHead(head), nodes: nodes.map(({ retry: _retry, ...node }) => node) };
}

/** As lists show it. */
export function showHead(head: RolloutHead): RolloutSummary {
  const {
    quorumGroups: _groups,
    pause: _pause,
    changedAt: _changedAt,
    roundsLeft: _rounds,
    perNodeMs: _perNode,
    ...summary
  } = head;
  return { ...summary, estimatedEnd: estimatedEnd(head) };
}

/** What is left to do at what past jobs took, with the pauses in between. Null while nobody goes on with it. */
function estimatedEnd(head: RolloutHead): EpochMs | null {
  const { perNodeMs, status, stages, stage, policy, pause, changedAt, roundsLeft } = head;
  if (perNodeMs === null || (status !== "running" && status !== "pending")) return null;
  const ahead = stages.length - 1 - stage;
  const pauses = pause === null ? ahead : ahead - 1;
  const pausesMs = pauses * (policy.pauseMs ?? 0) + (pause?.leftMs ?? 0);
  return Math.round(changedAt + roundsLeft * perNodeMs + pausesMs);
}
