import type { Alert } from "../../protocol/alert.ts";
import type { AuditEntry } from "../../protocol/audit.ts";
import type { LogLine } from "../../protocol/job.ts";
import type { ChannelName, GroupName, JobId, NodeId, RolloutId } from "../../protocol/names.ts";
import type { FleetPolicy } from "../../protocol/policy.ts";
import type { EpochMs } from "../../protocol/time.ts";
import type { WebhookId } from "../../protocol/webhook.ts";
import type { JobRecord } from "../core/job/job.ts";
import type { LeaseRecord } from "../core/lease/record.ts";
import type { RolloutHead, RolloutRecord } from "../core/rollout/rollout.ts";
import type { AlertFilter } from "./alerts.ts";
import type { EventRecord } from "./events.ts";
import type { ChannelRecord } from "./policy.ts";
import type {
  AlertKind,
  Applied,
  AuditQuery,
  Change,
  GroupRecord,
  JobQuery,
  JoinTokenRecord,
  LogSize,
  Meta,
  Numbered,
  OperatorTokenRecord,
  Prunable,
  RequestRecord,
  Stored,
  StoredNode,
} from "./records.ts";
import type { SignInLinkRecord, SignInRecord } from "./sign-ins.ts";
import type { DeliveryFilter, DeliveryRecord, WebhookRecord } from "./webhooks.ts";

/**
 * Where the coordinator keeps what must survive. Reads give values with the revision they were read at; all writing
 * goes through `apply`, so that a lease, its job and the audit entry appear together or not at all.
 *
 * Invariants: values are immutable (nobody changes what it got or gave); what `apply` said is durable before it
 * answers; there is exactly one lease per group; a node has at most one active job, and beside it at most one active
 * diagnosis; a name is one node's only.
 * Methods throw on faults of the storage, and for nothing else.
 */
export type Store = {
  /** Writes all or none, in one durable transaction, in the order given. May be repeated after a conflict. */
  apply(changes: readonly Change[]): Promise<Applied>;
  /** Notes when nodes were seen last; a batch, without revisions. Unknown nodes are passed over. */
  touchNodes(seen: readonly { readonly id: NodeId; readonly at: EpochMs }[]): Promise<void>;

  meta(): Promise<Stored<Meta>>;

  policy(): Promise<Stored<FleetPolicy>>;
  channel(name: ChannelName): Promise<Stored<ChannelRecord> | null>;
  /** By name. */
  channels(): Promise<readonly Stored<ChannelRecord>[]>;

  group(name: GroupName): Promise<Stored<GroupRecord> | null>;
  /** By name. */
  groups(): Promise<readonly Stored<GroupRecord>[]>;
  /** Null only when there is no such group. */
  lease(group: GroupName): Promise<Stored<LeaseRecord> | null>;
  /** Groups whose lease is held, or broken and not settled. */
  busyLeases(): Promise<readonly (Stored<LeaseRecord> & { readonly group: GroupName })[]>;

  node(id: NodeId): Promise<StoredNode | null>;
  /** By name; of one group or of all. */
  nodes(group?: GroupName): Promise<readonly StoredNode[]>;
  nodeByName(name: string): Promise<StoredNode | null>;
  nodeByCredential(hash: string): Promise<StoredNode | null>;

  job(id: JobId): Promise<Stored<JobRecord> | null>;
  /** The job that is queued or running on a node. A diagnosis is none: it needs no lease, and stands beside it. */
  activeJob(nodeId: NodeId): Promise<Stored<JobRecord> | null>;
  activeJobsOf(group: GroupName): Promise<readonly Stored<JobRecord>[]>;
  /** The diagnosis that is queued or running on a node. */
  activeDiagnosis(nodeId: NodeId): Promise<Stored<JobRecord> | null>;
  /** Of all nodes. */
  activeDiagnoses(): Promise<readonly Stored<JobRecord>[]>;
  /** The job that was created last, active or not; not a diagnosis. */
  lastJob(nodeId: NodeId): Promise<Stored<JobRecord> | null>;
  /** Every job that is queued or running, oldest first; no diagnoses. */
  activeJobs(): Promise<readonly Stored<JobRecord>[]>;
  /** Those of these that are there, in any order. */
  jobsById(ids: readonly JobId[]): Promise<readonly Stored<JobRecord>[]>;
  /** A page of all jobs, diagnoses too, newest first. */
  jobs(query: JobQuery): Promise<readonly Numbered<JobRecord>[]>;
  /** At most `limit` lines from index `from` on. */
  log(id: JobId, from: number, limit: number): Promise<readonly LogLine[]>;
  /** How many lines there are, which is the index of the next one: lines are stored without gaps. */
  logLength(id: JobId): Promise<number>;
  logSize(id: JobId): Promise<LogSize>;

  rollout(id: RolloutId): Promise<Stored<RolloutRecord> | null>;
  /** Newest first, without their nodes. */
  rollouts(): Promise<readonly Stored<RolloutHead>[]>;
  /** Pending, running, paused, or ended early with somebody still under way; those that have nodes of the group. */
  unfinishedRollouts(group?: GroupName): Promise<readonly Stored<RolloutRecord>[]>;

  operatorTokens(): Promise<readonly Stored<OperatorTokenRecord>[]>;
  operatorToken(id: string): Promise<Stored<OperatorTokenRecord> | null>;
  operatorTokenByHash(hash: string): Promise<Stored<OperatorTokenRecord> | null>;
  joinTokens(): Promise<readonly Stored<JoinTokenRecord>[]>;
  joinTokenByHash(hash: string): Promise<Stored<JoinTokenRecord> | null>;

  /** A browser that is signed in, by the hash of its secret; expired ones too, until they are forgotten. */
  signIn(hash: string): Promise<SignInRecord | null>;
  signInLink(hash: string): Promise<SignInLinkRecord | null>;

  request(id: string): Promise<Stored<RequestRecord> | null>;

  /** Newest first, or from `after` on in the order of what happened. */
  audit(limit: number, filter?: Omit<AuditQuery, "limit">): Promise<readonly AuditEntry[]>;
  alert(id: number): Promise<Alert | null>;
  /** Newest first. */
  alerts(filter: AlertFilter): Promise<readonly Alert[]>;
  /** Of one kind, or of all. */
  openAlerts(kind?: AlertKind): Promise<readonly Alert[]>;

  webhook(id: WebhookId): Promise<Stored<WebhookRecord> | null>;
  /** By id. */
  webhooks(): Promise<readonly Stored<WebhookRecord>[]>;
  /** Newest first. */
  deliveries(filter: DeliveryFilter): Promise<readonly DeliveryRecord[]>;
  /** For each enabled webhook the first that waits for it, if its time has come; by id. */
  dueDeliveries(now: EpochMs): Promise<readonly DeliveryRecord[]>;

  /**
   * What changed after the event `after`, in order, at most `limit`. An event is there with the change that it tells
   * of, and ids appear in their order: who has read up to one has missed nothing before it.
   */
  changesSince(after: number, limit: number): Promise<readonly EventRecord[]>;
  /** Id of the oldest event that is kept, and of the newest; 0 when there is none. */
  oldestEventId(): Promise<number>;
  lastEventId(): Promise<number>;
  /**
   * Calls `listener` when something may have become durable, until the returned function is called: a poke and no
   * more. It must be quick, and must not throw.
   */
  onChange(listener: () => void): () => void;
  /** Kinds of which none is open are left out. */
  countOpenAlerts(): Promise<readonly { readonly kind: AlertKind; readonly count: number }[]>;

  /**
   * Forgets what is over since before that instant, oldest first, `limit` records or so at most, and answers how many
   * went: fewer than `limit` when nothing is left to forget. What is not over stays, and of the jobs also a node's
   * last one and those of a rollout that is not over. Of events at most `keep` stay, however young.
   */
  prune(what: Prunable, before: EpochMs, limit: number, keep?: number): Promise<number>;
  /**
   * Copies all of it into a new file, as it is at one instant, while it is in use. Null where the store is no file;
   * then its own tools make the backup.
   */
  readonly copyTo: ((file: string) => Promise<void>) | null;

  /** Nothing may be called after it. */
  close(): Promise<void>;
};
