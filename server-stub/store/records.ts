/** What the store keeps. Secrets are kept as SHA-256 only. */
import type { JoinReply, OperatorToken } from "../../protocol/access.ts";
import type { Alert } from "../../protocol/alert.ts";
import type { AuditEntry } from "../../protocol/audit.ts";
import type { Build, Platform } from "../../protocol/build.ts";
import type { NodeHoldings } from "../../protocol/frames.ts";
import type { GroupMode } from "../../protocol/group.ts";
import type { LogLine } from "../../protocol/job.ts";
import type { Labels } from "../../protocol/labels.ts";
import type { GroupName, JobId, NodeId, NodeName } from "../../protocol/names.ts";
import type { EpochMs } from "../../protocol/time.ts";
import type { Wanted } from "../core/desired.ts";
import type { JobRecord } from "../core/job/job.ts";
import type { LeaseRecord } from "../core/lease/record.ts";
import type { RolloutRecord } from "../core/rollout/rollout.ts";

/** Counts the writes of a record, from 1; a write names the revision that it was computed from. */
export type Revision = number;
export type Stored<T> = { readonly value: T; readonly revision: Revision };

/** Of the whole store. `tokenEpoch` rises after every restore and every failover that may have lost writes. */
export type Meta = {
  readonly tokenEpoch: number;
  /** When a backup was last made of it whole. */
  readonly backedUpAt?: EpochMs;
};

export type GroupRecord = {
  readonly name: GroupName;
  readonly mode: GroupMode;
  readonly spare: number | null;
  /** Release of the last completed rollout. */
  readonly wanted: Wanted | null;
  readonly createdAt: EpochMs;
};

/** What a node said of itself that is worth knowing while it is away. Written when it changes. */
export type NodeKnown = {
  readonly platform: Platform;
  readonly build: Build;
  readonly canHandOver: boolean;
  /** Its health hook has reported a role. */
  readonly reportsRole: boolean;
  readonly holdings: NodeHoldings;
};

export type NodeRecord = {
  readonly id: NodeId;
  readonly name: NodeName;
  readonly group: GroupName;
  readonly voter: boolean;
  readonly labels: Labels;
  readonly membership: JoinReply["membership"] | "revoked";
  readonly credentialHash: string;
  readonly createdAt: EpochMs;
  readonly known: NodeKnown | null;
  /** Where a rollout that ended early has left it. */
  readonly placed: Wanted | null;
  /** As it was last written; what is true right now is in memory. */
  readonly presence: "online" | "offline" | null;
};

/** `lastSeenAt` is written in batches, beside the record's revision. */
export type StoredNode = Stored<NodeRecord> & { readonly lastSeenAt: EpochMs | null };

export type OperatorTokenRecord = OperatorToken & { readonly hash: string };

export type JoinTokenRecord = {
  readonly id: string;
  readonly hash: string;
  readonly group: GroupName;
  readonly voter: boolean;
  readonly autoApprove: boolean;
  readonly usesLeft: number;
  readonly expiresAt: EpochMs | null;
  readonly createdAt: EpochMs;
  readonly createdBy: string;
};

export type AuditDraft = Omit<AuditEntry, "id">;
export type AlertKind = Alert["kind"];

/** What has a retention: everything of it that is over is let go of in the end. */
export type Prunable = "jobs" | "rollouts" | "audit" | "alerts";
/** How much of a job's log is there: lines, and characters in them. */
export type LogSize = { readonly lines: number; readonly characters: number };

/**
 * One thing to write. `expected` is the revision that the write was computed from, 0 when there must be none yet;
 * a write whose expectation fails undoes the whole batch.
 */
export type Change =
  | { readonly kind: "meta"; readonly value: Meta; readonly expected: Revision }
  /** A new group comes with an empty lease. */
  | { readonly kind: "group"; readonly value: GroupRecord; readonly expected: Revision }
  /** Writes nothing: the group, with its members, must still be what was read. */
  | { readonly kind: "same-group"; readonly name: GroupName; readonly expected: Revision }
  /** Writes nothing: the group's lease must still be what was read. */
  | { readonly kind: "same-lease"; readonly group: GroupName; readonly expected: Revision }
  | {
      readonly kind: "lease";
      readonly group: GroupName;
      readonly value: LeaseRecord;
      readonly expected: Revision;
    }
  | { readonly kind: "node"; readonly value: NodeRecord; readonly expected: Revision }
  | { readonly kind: "remove-node"; readonly id: NodeId; readonly expected: Revision }
  | { readonly kind: "job"; readonly value: JobRecord; readonly expected: Revision }
  | { readonly kind: "rollout"; readonly value: RolloutRecord; readonly expected: Revision }
  | { readonly kind: "operator-token"; readonly value: OperatorTokenRecord; readonly expected: Revision }
  | { readonly kind: "join-token"; readonly value: JoinTokenRecord; readonly expected: Revision }
  /** Appends lines that are not there yet; a line that is there stays as it is. */
  | { readonly kind: "log"; readonly jobId: JobId; readonly lines: readonly LogLine[] }
  | { readonly kind: "audit"; readonly value: AuditDraft }
  /** Opens an alert, unless one of its kind and subject is open. */
  | {
      readonly kind: "raise";
      readonly alert: AlertKind;
      readonly subject: string;
      readonly message: string;
      readonly at: EpochMs;
    }
  /** Closes the open alert of that kind and subject, if there is one. */
  | { readonly kind: "resolve"; readonly alert: AlertKind; readonly subject: string; readonly at: EpochMs };

/** `conflict`: somebody else wrote first (read again), or a name, hash or node's active job is there already. */
export type Applied = { readonly ok: true } | { readonly ok: false; readonly conflict: Change["kind"] };
