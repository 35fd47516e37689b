/**
 * What is stored of one group's lease, and nothing else: a value that the functions beside this file take and give
 * back. They have no clock, no randomness and no I/O; `now` is an instant on the coordinator's own steady clock.
 *
 * Invariants:
 * - `lastToken` only rises. A token is given once, in one group.
 * - An in-flight holder leaves `holders` by proof, by `break` (into `broken`) or because its node is removed.
 * - A node is in `broken` until its final word on that token, or an idle journal from a new instance.
 * Source: docs/ARCHITECTURE.md, "The lease"; docs/adr/0004-two-phase-fenced-leases.md.
 */
import type { Build } from "../../../protocol/build.ts";
import type { InstanceId, JobId, NodeId } from "../../../protocol/names.ts";
import type { DurationMs, EpochMs } from "../../../protocol/time.ts";
import type { LeaseToken } from "../../../protocol/token.ts";

/** Leave to get ready: nothing irreversible has happened.
 *  Entered by `reserve`; left by `commit`, `cancel`, `not-acted`, a newer `reserve` of the node, or by time.
 *  Coordinator dies here: at start it is renewed for a full `ttlMs`. */
export type Reserved = {
  readonly phase: "reserved";
  readonly token: LeaseToken;
  readonly nodeId: NodeId;
  readonly jobId: JobId;
  /** What the node ran when it asked. */
  readonly from: Build | null;
  readonly to: Build | null;
  /** The process that asked; no other may commit. */
  readonly instanceId: InstanceId;
  readonly sinceMs: EpochMs;
  readonly expiresAtMs: EpochMs;
  /** A commit was refused: the node may have said `not-acted` since, so this token is not given to it again. */
  readonly attempted: boolean;
};

/** The node may be down, and never stops being so by time.
 *  Entered by `commit`, or by a claim of a node that a restore forgot; left by proof, `break` or `remove`.
 *  Coordinator dies here: nothing changes, but time is counted anew until it is overdue. */
export type InFlight = {
  readonly phase: "in-flight";
  readonly token: LeaseToken;
  readonly nodeId: NodeId;
  readonly jobId: JobId | null;
  readonly from: Build | null;
  readonly to: Build | null;
  /** The process that committed; null after a restore, when nobody knows. */
  readonly instanceId: InstanceId | null;
  readonly sinceMs: EpochMs;
  /** From when `actWithinMs` and being overdue are counted: the last commit, or the coordinator's start. */
  readonly countedFromMs: EpochMs;
  readonly actWithinMs: DurationMs;
};

export type Holder = Reserved | InFlight;

/** An operator ended the record, not the budget: the node counts as down until it says its last word. */
export type Broken = {
  readonly token: LeaseToken;
  readonly nodeId: NodeId;
  readonly jobId: JobId | null;
  readonly to: Build | null;
  /** The process that committed; null after a restore, when nobody knows. */
  readonly instanceId: InstanceId | null;
  readonly atMs: EpochMs;
  readonly reason: string;
};

export type LeaseRecord = {
  /** 0 before the first. */
  readonly lastToken: number;
  /** One at most in a quorum group; in a group of independent nodes one at most per node. */
  readonly holders: readonly Holder[];
  readonly broken: readonly Broken[];
};

export const NO_LEASE: LeaseRecord = { lastToken: 0, holders: [], broken: [] };

export const holderOf = (lease: LeaseRecord, nodeId: NodeId): Holder | undefined =>
  lease.holders.find((holder) => holder.nodeId === nodeId);

/** A reservation past its time holds nothing, whether or not it has been swept yet. */
export const holds = (holder: Holder, now: EpochMs): boolean =>
  holder.phase === "in-flight" || now < holder.expiresAtMs;

export const withHolder = (lease: LeaseRecord, holder: Holder): LeaseRecord => ({
  ...lease,
  holders: [...lease.holders.filter((other) => other.nodeId !== holder.nodeId), holder],
});

export const withoutHolder = (lease: LeaseRecord, token: LeaseToken): LeaseRecord => ({
  ...lease,
  holders: lease.holders.filter((holder) => holder.token !== token),
});

/** The node may be down whatever it reports: it is in flight, or was when its lease was broken. */
export const mayBeDown = (lease: LeaseRecord, nodeId: NodeId): boolean =>
  lease.broken.some((broken) => broken.nodeId === nodeId) || holderOf(lease, nodeId)?.phase === "in-flight";

export const isOverdue = (holder: Holder, overdueAfterMs: DurationMs, now: EpochMs): boolean =>
  holder.phase === "in-flight" && now - holder.countedFromMs > holder.actWithinMs + overdueAfterMs;
