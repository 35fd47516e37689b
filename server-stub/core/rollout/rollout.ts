/** A rollout as it is stored, and what its reconciler is told of the fleet. */
import type { Build } from "../../../protocol/build.ts";
import type { Role } from "../../../protocol/health.ts";
import type { JobStatus, Reason } from "../../../protocol/job.ts";
import type { GroupName, JobId, NodeId } from "../../../protocol/names.ts";
import type { PresenceState } from "../../../protocol/node.ts";
import type { Rollout, RolloutNode, RolloutStatus, Selection } from "../../../protocol/rollout.ts";
import type { DurationMs, EpochMs } from "../../../protocol/time.ts";

/**
 * One node's place. Whoever changes nothing about a place keeps the same object: only places that are new objects
 * are written.
 */
export type Place = RolloutNode & {
  /** Asked for by name: takes the node although it is held or has quarantined the build. */
  readonly retry: boolean;
  /** Left out before it began: it counts in no stage. */
  readonly left?: true;
};

export type RolloutRecord = Omit<Rollout, "nodes" | "estimatedEnd"> & {
  readonly nodes: readonly Place[];
  /** Groups of the snapshot whose voters share a quorum; everybody else stands for itself. */
  readonly quorumGroups: readonly GroupName[];
  /** The pause between the stage that is done and the next one; null outside of it. */
  readonly pause: StagePause | null;
  /** What one node took in past jobs; null when nothing was known. */
  readonly perNodeMs: DurationMs | null;
  /** How many turns come one after the other in each stage. Records of the first release have none. */
  readonly rounds?: readonly number[];
  /** When the last node ended, whichever way. */
  readonly progressAt?: EpochMs | null;
};

/**
 * What was left of a pause at `notedMs`, on the clock that only rises; `null` waits for an operator's word. Counted
 * by what passes between two looks, and never by more than `COUNTED_AT_ONCE_MS`: see `pause.ts`.
 */
export type StagePause = { readonly leftMs: DurationMs | null; readonly notedMs: EpochMs };

/** A rollout without its places: what lists are made of. */
export type RolloutHead = Omit<RolloutRecord, "nodes">;

/** The two clocks of a coordinator: `nowMs` only rises and measures, `wallMs` is for people. */
export type Time = { readonly nowMs: EpochMs; readonly wallMs: EpochMs };

/** What is so beside the rollout and its nodes. */
export type Surroundings = {
  /** How long a node may be offline before a rollout that needs it halts, or leaves it out. */
  readonly offlineAfterMs: DurationMs;
  /** The release is published. One that was withdrawn is given to nobody any more. */
  readonly published: boolean;
};

/** One node of the rollout as it is right now. */
export type FleetNode = {
  readonly kind: "there";
  readonly presence: PresenceState;
  readonly offlineForMs: DurationMs | null;
  /** It has opened a session and not said yet what it is up to: what is known of it is from before. */
  readonly connecting: boolean;
  readonly build: Build | null;
  /** What `dist.bak` names. */
  readonly backup: Build | null;
  /** The release's build for this node's platform. */
  readonly target: Build | null;
  readonly platformKnown: boolean;
  readonly role: Role | null;
  /** Its health hook has reported a role, if only once. */
  readonly reportsRole: boolean;
  /** Why it would not try the build unasked, `held` or `quarantined`; null when it would. */
  readonly refuses: Reason | null;
  /** Why nobody in its group may be disrupted now, such as a window that is closed; null when it may. */
  readonly gate: Reason | null;
  /** Why its group's lease would be refused to it right now, its turn aside; null when it would be given. */
  readonly denied: Reason | null;
  /** The rollout's own job on this node. */
  readonly job: FleetJob | null;
  /** Another job is at work on it. */
  readonly otherJob: JobId | null;
  /** What it holds for the rollout's own job. */
  readonly lease: "reserved" | "in-flight" | null;
};

/** A node that is not of its group any more, and why. */
export type Gone = { readonly kind: "gone"; readonly reason: Reason };

export type FleetJob = {
  readonly id: JobId;
  readonly status: JobStatus;
  readonly reason: Reason | null;
  /** The agent says that the build is ready on its disk. */
  readonly prepared: boolean;
};

/** Nodes of the rollout by id. Who is not in it was not looked at, and is left as it is. */
export type Fleet = ReadonlyMap<NodeId, FleetNode | Gone>;

/** Null also for who is gone. */
export function nodeIn(fleet: Fleet, id: NodeId): FleetNode | null {
  const seen = fleet.get(id);
  return seen?.kind === "there" ? seen : null;
}

export const holdsLease = (fleet: Fleet, node: Pick<Place, "nodeId">): boolean =>
  nodeIn(fleet, node.nodeId)?.lease != null;

/** The reconciler looks at nodes of the stages that have begun, unless they are done with. */
export const isLookedAt = (rollout: Pick<Rollout, "stage">, node: Place): boolean =>
  hasBegun(rollout, node) && !isEnded(node);

const ACTIVE: readonly RolloutStatus[] = ["pending", "running", "paused"];
export const isActiveRollout = (rollout: Pick<Rollout, "status">): boolean => ACTIVE.includes(rollout.status);

const STOPPED: readonly RolloutStatus[] = ["halted", "cancelled", "failed"];
/** Ended before all were done: nobody is given a turn, who holds a lease finishes. */
export const isStopped = (rollout: Pick<Rollout, "status">): boolean => STOPPED.includes(rollout.status);

/** Active, or ended early with somebody still under way. */
export const isUnfinished = (rollout: Pick<Rollout, "status" | "endedAt">): boolean =>
  isActiveRollout(rollout) || rollout.endedAt === null;

export function isEnded({ status }: Pick<RolloutNode, "status">): boolean {
  return status === "succeeded" || status === "failed" || status === "rolled-back" || status === "skipped";
}

export const hasFailed = ({ status }: Pick<RolloutNode, "status">): boolean =>
  status === "failed" || status === "rolled-back";

export const hasBegun = (rollout: Pick<Rollout, "stage">, node: Pick<RolloutNode, "stage">): boolean =>
  node.stage <= rollout.stage;

/** No single nodes of a group are picked out. */
export const isOfWholeGroups = ({ nodes, labels = {} }: Selection): boolean =>
  nodes === undefined && Object.keys(labels).length === 0;
