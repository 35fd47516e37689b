import type { Alert } from "../../../protocol/alert.ts";
import type { AuditEntry } from "../../../protocol/audit.ts";
import type { LogLine } from "../../../protocol/job.ts";
import type { GroupName, JobId, NodeId, RolloutId } from "../../../protocol/names.ts";
import type { WebhookId } from "../../../protocol/webhook.ts";
import type { JobRecord } from "../../core/job/job.ts";
import type { LeaseRecord } from "../../core/lease/record.ts";
import type { RolloutRecord } from "../../core/rollout/rollout.ts";
import type { EventRecord } from "../events.ts";
import type {
  GroupRecord,
  JoinTokenRecord,
  Meta,
  NodeRecord,
  OperatorTokenRecord,
  RequestRecord,
  Stored,
} from "../records.ts";
import type { DeliveryRecord, WebhookRecord } from "../webhooks.ts";
import { firstPolicyState, type PolicyState } from "./policy.ts";
import { firstSignInState, type SignInState } from "./sign-ins.ts";

/** Values in it never change; the maps and lists that hold them do, by `applyAll` alone. */
export type MemoryState = PolicyState &
  SignInState & {
    readonly meta: Map<"meta", Stored<Meta>>;
    readonly groups: Map<GroupName, Stored<GroupRecord>>;
    readonly leases: Map<GroupName, Stored<LeaseRecord>>;
    readonly nodes: Map<NodeId, Stored<NodeRecord>>;
    readonly jobs: Map<JobId, Stored<JobRecord>>;
    /** Found again by node: its active job, the one that was created last, and its active diagnosis. */
    readonly activeJobs: Map<NodeId, JobId>;
    readonly lastJobs: Map<NodeId, JobId>;
    readonly activeDiagnoses: Map<NodeId, JobId>;
    /** The number under which a job is listed. */
    readonly jobNumbers: Map<JobId, number>;
    readonly logs: Map<JobId, readonly LogLine[]>;
    readonly rollouts: Map<RolloutId, Stored<RolloutRecord>>;
    readonly operatorTokens: Map<string, Stored<OperatorTokenRecord>>;
    readonly joinTokens: Map<string, Stored<JoinTokenRecord>>;
    readonly requests: Map<string, Stored<RequestRecord>>;
    readonly audit: AuditEntry[];
    readonly alerts: Map<number, Alert>;
    readonly webhooks: Map<WebhookId, Stored<WebhookRecord>>;
    readonly deliveries: Map<number, DeliveryRecord>;
    readonly events: EventRecord[];
    /** Ids only rise, whatever was forgotten. */
    readonly lastIds: { audit: number; jobs: number };
  };

export const emptyState = (): MemoryState => ({
  ...firstPolicyState(),
  ...firstSignInState(),
  meta: new Map([["meta", { value: { tokenEpoch: 0 }, revision: 1 }]]),
  groups: new Map(),
  leases: new Map(),
  nodes: new Map(),
  jobs: new Map(),
  activeJobs: new Map(),
  lastJobs: new Map(),
  activeDiagnoses: new Map(),
  jobNumbers: new Map(),
  logs: new Map(),
  rollouts: new Map(),
  operatorTokens: new Map(),
  joinTokens: new Map(),
  requests: new Map(),
  audit: [],
  alerts: new Map(),
  webhooks: new Map(),
  deliveries: new Map(),
  events: [],
  lastIds: { audit: 0, jobs: 0 },
});

export const isBusy = (lease: LeaseRecord): boolean => lease.holders.length > 0 || lease.broken.length > 0;

export const logOf = (state: MemoryState, id: JobId): readonly LogLine[] => state.logs.get(id) ?? [];
