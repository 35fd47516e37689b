/** What a plan is made of: the fleet as it is stored and seen, and what was asked for. Values; nobody changes them. */
import type { Build, Platform } from "../../../protocol/build.ts";
import type { NodeHoldings, UpdateReport } from "../../../protocol/frames.ts";
import type { GroupMode } from "../../../protocol/group.ts";
import type { HealthReport } from "../../../protocol/health.ts";
import type { Reason } from "../../../protocol/job.ts";
import type { GroupName, NodeId, RolloutId } from "../../../protocol/names.ts";
import type { PresenceState } from "../../../protocol/node.ts";
import type { Release } from "../../../protocol/release.ts";
import type { RolloutPolicy, RolloutStatus } from "../../../protocol/rollout.ts";
import type { DurationMs } from "../../../protocol/time.ts";
import type { LeaseToken } from "../../../protocol/token.ts";
import type { Member } from "../lease/view.ts";

export type PlanNode = Omit<Member, "old"> & {
  readonly group: GroupName;
  /** Asked for. The others are here because they share a quorum with one that was. */
  readonly selected: boolean;
  /** Null as long as the node has never been heard. */
  readonly known: PlanKnown | null;
  readonly presence: PresenceState;
  /** Since its last heartbeat; null before the first one of its newest session. */
  readonly heardAgoMs: DurationMs | null;
  readonly health: HealthReport | null;
  /** Where its update machine stands, as far as it has said. */
  readonly state: UpdateReport["state"] | null;
  /** What it holds of its group's lease, or owes its last word on. */
  readonly lease: PlanLease | null;
  /** Another active rollout that has it and is not done with it. */
  readonly rollout: {
    readonly id: RolloutId;
    readonly release: string;
    readonly status: RolloutStatus;
  } | null;
};

export type PlanKnown = {
  readonly platform: Platform;
  readonly build: Build;
  readonly holdings: NodeHoldings;
  /** Version of Node that runs its agent, and the protocol that it speaks; null where it was not written down. */
  readonly runtime: string | null;
  readonly protocol: number | null;
};

export type PlanLease = {
  readonly token: LeaseToken;
  readonly phase: "reserved" | "in-flight" | "broken";
  /** In flight for longer than any probation takes. */
  readonly overdue: boolean;
};

export type PlanGroup = {
  readonly name: GroupName;
  readonly mode: GroupMode;
  readonly spare: number | null;
  /** Why nobody in it may begin right now, such as a window that is closed; null when they may. */
  readonly gate: Reason | null;
  /** What its nodes should be on since its last completed rollout. */
  readonly wanted: string | null;
};

export type PlanWorld = {
  /** All that one of `nodes` is in. */
  readonly groups: readonly PlanGroup[];
  /** The selected nodes, and all other members of the quorum groups that they are in; nobody who is pending. */
  readonly nodes: readonly PlanNode[];
  /** Everything that is published. */
  readonly releases: readonly Release[];
  readonly heartbeatMs: DurationMs;
  /** What updates took that succeeded lately, newest first, each from its lease to its end. */
  readonly past: readonly { readonly group: GroupName; readonly tookMs: DurationMs }[];
};

/** What was asked for, with every default in its place. */
export type PlanRequest = {
  readonly release: Release;
  readonly policy: RolloutPolicy;
  /** No single nodes were picked: once completed, the release is what these groups should be on. */
  readonly ofWholeGroups: boolean;
  readonly acceptOutage: boolean;
  /** Nodes that may be ill or away all the same; in a quorum group they go first. */
  readonly allowUnhealthy: readonly NodeId[];
  /** Lifts holds and quarantines. */
  readonly retry: boolean;
};
