import type { Alert } from "../../../protocol/alert.ts";
import type { AuditEntry } from "../../../protocol/audit.ts";
import type { LogLine } from "../../../protocol/job.ts";
import type { GroupName, JobId, NodeId, RolloutId } from "../../../protocol/names.ts";
import type { JobRecord } from "../../core/job/job.ts";
import type { LeaseRecord } from "../../core/lease/record.ts";
import { isActiveRollout, type RolloutRecord } from "../../core/rollout/rollout.ts";
import type {
  GroupRecord,
  JoinTokenRecord,
  Meta,
  NodeRecord,
  OperatorTokenRecord,
  Stored,
} from "../records.ts";

export type MemoryState = {
  readonly meta: Stored<Meta>;
  readonly groups: ReadonlyMap<GroupName, Stored<GroupRecord>>;
  readonly leases: ReadonlyMap<GroupName, Stored<LeaseRecord>>;
  readonly nodes: ReadonlyMap<NodeId, Stored<NodeRecord>>;
  readonly jobs: ReadonlyMap<JobId, Stored<JobRecord>>;
  readonly logs: ReadonlyMap<JobId, readonly LogLine[]>;
  readonly rollouts: ReadonlyMap<RolloutId, Stored<RolloutRecord>>;
  readonly operatorTokens: ReadonlyMap<string, Stored<OperatorTokenRecord>>;
  readonly joinTokens: ReadonlyMap<string, Stored<JoinTokenRecord>>;
  readonly audit: readonly AuditEntry[];
  readonly alerts: readonly Alert[];
};

export const emptyState = (): MemoryState => ({
  meta: { value: { tokenEpoch: 0 }, revision: 1 },
  groups: new Map(),
  leases: new Map(),
  nodes: new Map(),
  jobs: new Map(),
  logs: new Map(),
  rollouts: new Map(),
  operatorTokens: new Map(),
  joinTokens: new Map(),
  audit: [],
  alerts: [],
});

export const isBusy = (lease: LeaseRecord): boolean => lease.holders.length > 0 || lease.broken.length > 0;

export const isUnfinished = (rollout: RolloutRecord): boolean =>
  isActiveRollout(rollout) || rollout.endedAt === null;

export const logOf = (state: MemoryState, id: JobId): readonly LogLine[] => state.logs.get(id) ?? [];
