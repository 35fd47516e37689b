/** A rollout as it is stored, and what its reconciler is told of the fleet. */
import type { Build } from "../../../protocol/build.ts";
import type { GroupMode } from "../../../protocol/group.ts";
import type { Role } from "../../../protocol/health.ts";
import type { JobStatus, Reason } from "../../../protocol/job.ts";
import type { JobId, NodeId } from "../../../protocol/names.ts";
import type { PresenceState } from "../../../protocol/node.ts";
import type { Rollout, RolloutNode, RolloutStatus } from "../../../protocol/rollout.ts";
import type { DurationMs } from "../../../protocol/time.ts";

export type RolloutRecord = Rollout & {
  readonly mode: GroupMode;
  /** Asked for by name: takes nodes that are held or have quarantined the build. */
  readonly retry: boolean;
};

/** The rollout as the API shows it. */
export function showRollout(record: RolloutRecord): Rollout {
  const { mode: _mode, retry: _retry, ...rollout } = record;
  return rollout;
}

/** How much may fail, and how many go at once. Stages will widen this; they take it as it is. */
export type RolloutPolicy = {
  readonly concurrency: number;
  /** Halts when more than this share of the nodes failed; 0 halts at the first failure. */
  readonly threshold: number;
  /** How long a node may be offline before a rollout that needs it halts. */
  readonly offlineHaltMs: DurationMs;
};

export const thresholdOf = (mode: GroupMode): number => (mode === "quorum" ? 0 : 0.3);

/** One node of the rollout as it is right now. */
export type FleetNode = {
  readonly presence: PresenceState;
  readonly offlineForMs: DurationMs | null;
  readonly build: Build | null;
  /** The release's build for this node's platform. */
  readonly target: Build | null;
  readonly platformKnown: boolean;
  readonly role: Role | null;
  readonly reportsRole: boolean;
  readonly held: boolean;
  readonly quarantined: boolean;
  /** The rollout's own job on this node. */
  readonly job: FleetJob | null;
  /** Another job is at work on it. */
  readonly otherJob: JobId | null;
  /** What it holds for the rollout's own job. */
  readonly lease: "reserved" | "in-flight" | null;
};

export type FleetJob = {
  readonly id: JobId;
  readonly status: JobStatus;
  readonly reason: Reason | null;
  /** The agent says that the build is ready on its disk. */
  readonly prepared: boolean;
};

/** Nodes of the rollout by id; one that is missing was removed. */
export type Fleet = ReadonlyMap<NodeId, FleetNode>;

const ACTIVE: readonly RolloutStatus[] = ["pending", "running", "paused"];
export const isActiveRollout = (rollout: Pick<Rollout, "status">): boolean => ACTIVE.includes(rollout.status);

const ENDED: readonly RolloutNode["status"][] = ["succeeded", "failed", "rolled-back", "skipped"];
export const isEnded = (node: Pick<RolloutNode, "status">): boolean => ENDED.includes(node.status);

export const hasFailed = (node: Pick<RolloutNode, "status">): boolean =>
  node.status === "failed" || node.status === "rolled-back";
