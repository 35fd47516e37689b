/** What the store keeps. Secrets are kept as SHA-256 only. */
import type { JoinReply, OperatorToken } from "../../protocol/access.ts";
import type { AuditEntry } from "../../protocol/audit.ts";
import type { Build, Platform } from "../../protocol/build.ts";
import type { EventKind } from "../../protocol/event.ts";
import type { NodeHoldings } from "../../protocol/frames.ts";
import type { GroupMode } from "../../protocol/group.ts";
import type { JobKind, JobStatus, LogLine } from "../../protocol/job.ts";
import type { Labels } from "../../protocol/labels.ts";
import type { ChannelName, GroupName, JobId, NodeId, NodeName, RolloutId } from "../../protocol/names.ts";
import type { Freeze, Window } from "../../protocol/policy.ts";
import type { EpochMs } from "../../protocol/time.ts";
import type { Wanted } from "../core/desired.ts";
import type { JobRecord } from "../core/job/job.ts";
import type { LeaseRecord } from "../core/lease/record.ts";
import type { RolloutRecord } from "../core/rollout/rollout.ts";
import type { AlertChange } from "./alerts.ts";
import type { PolicyChange } from "./policy.ts";
import type { SignInChange } from "./sign-ins.ts";
import type { WebhookChange } from "./webhooks.ts";

/** Counts the writes of a record, from 1; a write names the revision that it was computed from. */
export type Revision = number;
export type Stored<T> = { readonly value: T; readonly revision: Revision };

/** Of the whole store. `tokenEpoch` rises after every restore and every failover that may have lost writes. */
export type Meta = {
  readonly tokenEpoch: number;
  /** When a backup was last made of it whole. */
  readonly backedUpAt?: EpochMs;
  /** Which database it was when a coordinator began on it; another one may lack what this one had. */
  readonly incarnation?: string;
  /** Which of several coordinators decides; absent where there never were several. */
  readonly seat?: Seat;
};

/**
 * `claim` is drawn anew whenever the seat is taken, and so is never that of an earlier one, whatever was lost since. Who
 * knows it can read the database: that is how coordinators know each other. `address`: where the others reach it.
 */
export type Seat = { readonly claim: string; readonly since: EpochMs; readonly address?: string };

export type GroupRecord = {
  readonly name: GroupName;
  readonly mode: GroupMode;
  readonly spare: number | null;
  /** Release of the last completed rollout. */
  readonly wanted: Wanted | null;
  /** Null takes the fleet's. */
  readonly windows: readonly Window[] | null;
  readonly freeze: Freeze | null;
  /** The channel that it follows, and since when. */
  readonly channel: ChannelName | null;
  readonly followsSince: EpochMs | null;
  readonly createdAt: EpochMs;
  /** How FleetLock clients come into it; null and absent where they may not. */
  readonly fleetLock?: FleetLockRecord | null;
};

/** `passwordHash`: null where they need not name themselves. */
export type FleetLockRecord = {
  readonly voter: boolean;
  readonly autoApprove: boolean;
  readonly passwordHash: string | null;
};

/** What a node said of itself that is worth knowing while it is away. Written when it changes. */
export type NodeKnown = {
  readonly platform: Platform;
  readonly build: Build;
  readonly canHandOver: boolean;
  /** Its health hook has reported a role. */
  readonly reportsRole: boolean;
  readonly holdings: NodeHoldings;
  /** Version of Node that runs its agent, and the protocol that it speaks. Records of the first release have neither. */
  readonly runtime?: string;
  readonly protocol?: number;
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
  /** Where it was heard from last. Records of the first release have none. */
  readonly address?: string | null;
  /** What it speaks in place of an agent: it has no session, no build and no jobs. */
  readonly client?: "fleet-lock";
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
  /** Records of the first release have none. */
  readonly revoked?: boolean;
};

/**
 * A request that carried a key. `at-work` also when the coordinator died before it was done; `unknown`: it failed in a
 * way that says nothing of what was done.
 */
export type RequestRecord = {
  readonly id: string;
  /** What was asked, without its secrets. */
  readonly hash: string;
  readonly at: EpochMs;
  readonly state: "at-work" | "answered" | "secret" | "unknown";
  readonly answer: unknown;
};

/** A record of a list that is read by pages; `number` only rises, and leaves gaps. */
export type Numbered<T> = Stored<T> & { readonly number: number };

/** Newest first, below the number `before`. What is absent does not matter. */
export type JobQuery = {
  readonly nodeId?: NodeId | undefined;
  readonly status?: JobStatus | undefined;
  readonly kind?: JobKind | undefined;
  readonly rolloutId?: RolloutId | undefined;
  readonly before?: number | undefined;
  readonly limit: number;
};

/** Newest first, below the id `before`; or in the order of what happened, above the id `after`. */
export type AuditQuery = {
  readonly actor?: string | undefined;
  /** With what the action begins. */
  readonly action?: string | undefined;
  readonly subject?: string | undefined;
  /** From this instant on, and before that one. */
  readonly since?: EpochMs | undefined;
  readonly until?: EpochMs | undefined;
  readonly before?: number | undefined;
  readonly after?: number | undefined;
  readonly limit: number;
};

export type { AuditEntry };

export type AuditDraft = Omit<AuditEntry, "id">;
export type { AlertKind } from "../../protocol/alert.ts";

/** What has a retention: everything of it that is over is let go of in the end. */
export type Prunable = "jobs" | "rollouts" | "audit" | "alerts" | "events" | "deliveries";
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
  /** Writes nothing: the seat must still be taken under this claim. */
  | { readonly kind: "in-seat"; readonly claim: string }
  | { readonly kind: "same-lease"; readonly group: GroupName; readonly expected: Revision }
  | {
      readonly kind: "lease";
      readonly group: GroupName;
      readonly value: LeaseRecord;
      readonly expected: Revision;
    }
  | { readonly kind: "node"; readonly value: NodeRecord; readonly expected: Revision }
  | { readonly kind: "remove-node"; readonly id: NodeId; readonly expected: Revision }
  /** With its lease. A group that has nodes cannot be removed. */
  | { readonly kind: "remove-group"; readonly name: GroupName; readonly expected: Revision }
  | { readonly kind: "job"; readonly value: JobRecord; readonly expected: Revision }
  /** `before`: what it was computed from, by which it is seen which of its nodes have changed. */
  | {
      readonly kind: "rollout";
      readonly value: RolloutRecord;
      readonly expected: Revision;
      readonly before?: RolloutRecord;
    }
  /** `isUse`: only notes that it was used, which is no news to anybody. */
  | {
      readonly kind: "operator-token";
      readonly value: OperatorTokenRecord;
      readonly expected: Revision;
      readonly isUse?: true;
    }
  | { readonly kind: "join-token"; readonly value: JoinTokenRecord; readonly expected: Revision }
  | { readonly kind: "request"; readonly value: RequestRecord; readonly expected: Revision }
  | { readonly kind: "remove-request"; readonly id: string; readonly expected: Revision }
  /** Removes those that are older. */
  | { readonly kind: "forget-requests"; readonly before: EpochMs }
  /** Appends lines that are not there yet; a line that is there stays as it is. */
  | { readonly kind: "log"; readonly jobId: JobId; readonly lines: readonly LogLine[] }
  | { readonly kind: "audit"; readonly value: AuditDraft }
  | PolicyChange
  | SignInChange
  /** An event of something that is kept elsewhere, such as a release. */
  | { readonly kind: "announce"; readonly event: EventKind; readonly subject: string }
  | AlertChange
  | WebhookChange;

/** `conflict`: somebody else wrote first (read again), or a name, hash or node's active job is there already. */
export type Applied = { readonly ok: true } | { readonly ok: false; readonly conflict: Change["kind"] };
