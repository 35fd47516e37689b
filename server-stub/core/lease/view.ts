/** What the lease's functions are told of the world around the record: policy, members, and who is asking. */
import type { Build } from "../../../protocol/build.ts";
import type { GroupMode } from "../../../protocol/group.ts";
import type { Role } from "../../../protocol/health.ts";
import type { InstanceId, JobId, NodeId, SessionId } from "../../../protocol/names.ts";
import type { ProblemCode } from "../../../protocol/problem.ts";
import type { Fault } from "../../../protocol/result.ts";
import type { DurationMs } from "../../../protocol/time.ts";
import type { LeaseRecord } from "./record.ts";

/** Why a lease is refused; nothing was changed but what the record says. */
export type Denied = Fault<ProblemCode> & { readonly retryAfterMs: DurationMs };

/** What a function of the lease gives back: the record to store (the same object when unchanged), and the answer. */
export type Step<T> = { readonly lease: LeaseRecord; readonly outcome: T };

export type LeasePolicy = {
  readonly ttlMs: DurationMs;
  /** Room for the flip: the least that a commit is given. */
  readonly actWithinMs: DurationMs;
  readonly maxActWithinMs: DurationMs;
  /** Longest probation, counted after `actWithin`. */
  readonly overdueAfterMs: DurationMs;
  readonly retryAfterMs: DurationMs;
  /** Epoch of the tokens; higher after every restore. */
  readonly epoch: number;
};

/** An approved member of the group, as it is known right now. */
export type Member = {
  readonly id: NodeId;
  readonly name: string;
  readonly voter: boolean;
  /** Heard within two heartbeats, healthy and caught up. */
  readonly serving: boolean;
  /** Why it does not serve, in a few words. */
  readonly ailment: string | null;
  /** What its health hook said in a fresh report. */
  readonly role: Role | null;
  /** Its health hook reports a role when it succeeds. */
  readonly reportsRole: boolean;
  readonly canHandOver: boolean;
  /** It is still to be updated by whatever is going on in the group. */
  readonly old: boolean;
};

export type GroupView = {
  readonly mode: GroupMode;
  /** Null takes the default for the number of voters. */
  readonly spare: number | null;
  /** Every approved member of a quorum group; of an independent group at least who asks. */
  readonly members: readonly Member[];
  /** An operator said that a group of one or two voters may be down meanwhile. */
  readonly acceptOutage: boolean;
  /** Why nobody may begin to be disrupted right now: frozen, or outside its window. Null while the gate is open. */
  readonly gate: Denied | null;
};

/** Who asks, and with what right. */
export type Asker = {
  readonly nodeId: NodeId;
  readonly jobId: JobId;
  /** What it runs. */
  readonly from: Build | null;
  readonly to: Build | null;
  /** The node's newest session, once it was echoed. */
  readonly newest: { readonly session: SessionId; readonly instanceId: InstanceId } | null;
  /** Null when the node has its turn, or else why not. */
  readonly noTurn: Denied | null;
};

export type LeaseView = {
  readonly policy: LeasePolicy;
  readonly group: GroupView;
  readonly asker: Asker;
};

/** All that holding on to a lease, or giving it back, needs to know. */
export type HoldView = {
  readonly policy: LeasePolicy;
  readonly asker: Pick<Asker, "nodeId" | "newest">;
};

export const memberOf = (group: GroupView, nodeId: NodeId): Member | undefined =>
  group.members.find((member) => member.id === nodeId);

export const nameOf = (group: GroupView, nodeId: NodeId): string => memberOf(group, nodeId)?.name ?? nodeId;
