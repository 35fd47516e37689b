import type { Alert } from "../../protocol/alert.ts";
import type { AuditEntry } from "../../protocol/audit.ts";
import type { LogLine } from "../../protocol/job.ts";
import type { GroupName, JobId, NodeId, RolloutId } from "../../protocol/names.ts";
import type { EpochMs } from "../../protocol/time.ts";
import type { JobRecord } from "../core/job/job.ts";
import type { LeaseRecord } from "../core/lease/record.ts";
import type { RolloutHead, RolloutRecord } from "../core/rollout/rollout.ts";
import type {
  AlertKind,
  Applied,
  Change,
  GroupRecord,
  JoinTokenRecord,
  Meta,
  OperatorTokenRecord,
  Stored,
  StoredNode,
} from "./records.ts";

/**
 * Where the coordinator keeps what must survive. Reads give values with the revision they were read at; all writing
 * goes through `apply`, so that a lease, its job and the audit entry appear together or not at all.
 *
 * Invariants: values are immutable (nobody changes what it got or gave); what `apply` said is durable before it
 * answers; there is exactly one lease per group; a node has at most one active job; a name is one node's only.
 * Methods throw on faults of the storage, and for nothing else.
 */
export type Store = {
  /** Writes all or none, in one durable transaction, in the order given. May be repeated after a conflict. */
  apply(changes: readonly Change[]): Promise<Applied>;
  /** Notes when nodes were seen last; a batch, without revisions. Unknown nodes are passed over. */
  touchNodes(seen: readonly { readonly id: NodeId; readonly at: EpochMs }[]): Promise<void>;

  meta(): Promise<Stored<Meta>>;

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
  /** The job that is queued or running on a node. */
  activeJob(nodeId: NodeId): Promise<Stored<JobRecord> | null>;
  activeJobsOf(group: GroupName): Promise<readonly Stored<JobRecord>[]>;
  activeJobs(): Promise<readonly Stored<JobRecord>[]>;
  /** The job that was created last, active or not. */
  lastJob(nodeId: NodeId): Promise<Stored<JobRecord> | null>;
  /** At most `limit` lines from index `from` on. */
  log(id: JobId, from: number, limit: number): Promise<readonly LogLine[]>;
  /** How many lines there are, which is the index of the next one: lines are stored without gaps. */
  logLength(id: JobId): Promise<number>;

  rollout(id: RolloutId): Promise<Stored<RolloutRecord> | null>;
  /** Newest first, without their nodes. */
  rollouts(): Promise<readonly Stored<RolloutHead>[]>;
  /** Pending, running, paused, or ended early with somebody still under way; those that have nodes of the group. */
  unfinishedRollouts(group?: GroupName): Promise<readonly Stored<RolloutRecord>[]>;

  operatorTokens(): Promise<readonly Stored<OperatorTokenRecord>[]>;
  operatorTokenByHash(hash: string): Promise<Stored<OperatorTokenRecord> | null>;
  joinTokenByHash(hash: string): Promise<Stored<JoinTokenRecord> | null>;

  /** Newest first. */
  audit(limit: number): Promise<readonly AuditEntry[]>;
  /** Open ones first, then newest first. */
  alerts(limit: number): Promise<readonly Alert[]>;
  openAlerts(kind: AlertKind): Promise<readonly Alert[]>;

  /** Nothing may be called after it. */
  close(): Promise<void>;
};
