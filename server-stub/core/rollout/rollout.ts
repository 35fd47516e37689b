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
  /** What one node took in past jobs; null when nothing was known. */
  readonly perNodeMs: DurationMs | null;
  /** How many turns come one after the other in each stage. Records of the first release have none. */
  readonly rounds?: readonly number[];
  /** When the last node ended, whichever way. */
  readonly progressAt?: EpochMs | null;
};

/** A rollout without its places: what lists are made of. */
export type RolloutHead = Omit<RolloutRecord, "nodes">;

/** Of the whole coordinator, beside the rollout's own policy. */
export type RolloutLimits = {
  /** How long a node may be offline before a rollout that needs it halts, or leaves it out. */
  readonly offlineAfterMs: DurationMs;
};

/** One node of the rollout as it is right now. */
export type FleetNode = {
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
  readonly reportsRole: boolean;
  readonly held: boolean;
  readonly quarantined: boolean;
  /** Why nobody in its group may be disrupted now, such as a window that is closed; null when it may. */
  readonly gate: Reason | null;
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

/**
 * Nodes of the rollout by id: all of those in the stages begun that have not ended, or failed. One of these that is
 * missing was removed.
 */
export type Fleet = ReadonlyMap<NodeId, FleetNode>;

const ACTIVE: readonly RolloutStatus[] = ["pending", "running", "paused"];
export const isActiveRollout = (rollout: Pick<Rollout, "status">): boolean => ACTIVE.includes(rollout.status);

/** Active, or ended early with somebody still under way. */
export const isUnfinished = (rollout: Pick<Rollout, "status" | "endedAt">): boolean =>
  isActiveRollout(rollout) || rollout.endedAt === null;

const ENDED: readonly RolloutNode["status"][] = ["succeeded", "failed", "rolled-back", "skipped"];
export const isEnded = (node: Pick<RolloutNode, "status">): boolean => ENDED.includes(node.status);

export const hasFailed = (node: Pick<RolloutNode, "status">): boolean =>
  node.status === "failed" || node.status === "rolled-back";

/** The reconciler looks at nodes of the stages that have begun, and at nobody else. */
export const hasBegun = (rollout: Pick<Rollout, "stage">, node: Pick<RolloutNode, "stage">): boolean =>
  node.stage <= rollout.stage;

/** What goes as one: a quorum group, or an independent node. */
export const unitOf = (
  { quorumGroups }: Pick<RolloutRecord, "quorumGroups">,
  node: Pick<RolloutNode, "nodeId" | "group">,
): string => (quorumGroups.includes(node.group) ? `group ${node.group}` : node.nodeId);

export const isQuorum = (
  { quorumGroups }: Pick<RolloutRecord, "quorumGroups">,
  node: Pick<RolloutNode, "group">,
): boolean => quorumGroups.includes(node.group);

const placesOf = new WeakMap<readonly Place[], ReadonlyMap<NodeId, Place>>();
/** A node's place, found without going through all of them; records never change. */
export function placeOf({ nodes }: Pick<RolloutRecord, "nodes">, id: NodeId): Place | undefined {
  let places = placesOf.get(nodes);
  if (places === undefined) {
    places = new Map(nodes.map((node) => [node.nodeId, node]));
    placesOf.set(nodes, places);
  }
  return places.get(id);
}

const groupsIn = new WeakMap<readonly Place[], ReadonlySet<GroupName>>();
/** The groups that the rollout has nodes of. */
export function groupsOf({ nodes }: Pick<RolloutRecord, "nodes">): ReadonlySet<GroupName> {
  let groups = groupsIn.get(nodes);
  if (groups === undefined) {
    groups = new Set(nodes.map((node) => node.group));
    groupsIn.set(nodes, groups);
  }
  return groups;
}

/** No single nodes of a group are picked out. */
export const isOfWholeGroups = ({ nodes, labels }: Selection): boolean =>
  nodes === undefined && labels === undefined;
