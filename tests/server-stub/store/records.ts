import type { JobRecord } from "../../../server-stub/core/job/job.ts";
import type { LeaseRecord } from "../../../server-stub/core/lease/record.ts";
import type { Place, RolloutRecord } from "../../../server-stub/core/rollout/rollout.ts";
import type { ChannelRecord } from "../../../server-stub/store/policy.ts";
import type {
  GroupRecord,
  JoinTokenRecord,
  NodeRecord,
  OperatorTokenRecord,
} from "../../../server-stub/store/records.ts";

const BUILD = { version: "1.0.0", buildHash: "a".repeat(64) };

export const GROUP: GroupRecord = {
  name: "db",
  mode: "quorum",
  spare: null,
  wanted: null,
  windows: null,
  freeze: null,
  channel: null,
  followsSince: null,
  createdAt: 1,
};

export const CHANNEL: ChannelRecord = {
  name: "stable",
  release: null,
  startOnPublish: false,
  selection: null,
  policy: {},
  promotedAt: null,
  updatedAt: 1,
  startDue: null,
};

export const NODE: NodeRecord = {
  id: "n-abcdefghijkl",
  name: "one",
  group: "db",
  voter: true,
  labels: { rack: "r1" },
  membership: "approved",
  credentialHash: "hash-n",
  createdAt: 1,
  known: null,
  placed: null,
  presence: null,
};

export const JOB: JobRecord = {
  id: "j-1",
  kind: "update",
  nodeId: NODE.id,
  group: "db",
  cause: "operator",
  rolloutId: null,
  release: "1.0.0",
  from: null,
  to: BUILD,
  retry: false,
  acceptOutage: false,
  status: "queued",
  step: null,
  percent: 0,
  bytesPerSecond: null,
  reason: null,
  confirming: null,
  returns: 0,
  createdAt: 1,
  startedAt: null,
  endedAt: null,
};

export const LEASE: LeaseRecord = {
  lastToken: 1,
  holders: [
    {
      phase: "in-flight",
      token: 1,
      nodeId: NODE.id,
      jobId: "j-1",
      from: BUILD,
      to: BUILD,
      instanceId: "i",
      sinceMs: 1,
      countedFromMs: 1,
      actWithinMs: 10_000,
    },
  ],
  broken: [],
};

const place = (name: string): Place => ({
  nodeId: `n-${name}`,
  name,
  group: "db",
  stage: 0,
  status: "pending",
  from: null,
  to: null,
  jobId: null,
  reason: null,
  startedAt: null,
  endedAt: null,
  retry: false,
});

export const ROLLOUT: RolloutRecord = {
  id: "r-1",
  kind: "update",
  release: "1.0.0",
  rollbackOf: null,
  rolledBackBy: null,
  selection: { groups: ["db"] },
  policy: {
    stages: [1],
    concurrency: 1,
    threshold: null,
    pauseMs: 0,
    offline: "halt",
    onFailure: "halt",
    seed: 1,
  },
  quorumGroups: ["db"],
  status: "running",
  reason: null,
  acceptOutage: false,
  allowUnhealthy: [],
  stages: [{ share: 1, nodes: 2, status: "running", reason: null, startedAt: 1, endedAt: null }],
  stage: 0,
  counts: { pending: 2, preparing: 0, updating: 0, succeeded: 0, failed: 0, rolledBack: 0, skipped: 0 },
  budget: { failed: 0, allowed: 0 },
  planHash: null,
  perNodeMs: null,
  pause: null,
  nodes: ["a", "b"].map(place),
  startedBy: "ada",
  createdAt: 1,
  endedAt: null,
};

export const OPERATOR_TOKEN: OperatorTokenRecord = {
  id: "o-1",
  name: "ada",
  role: "admin",
  hash: "hash-o",
  createdAt: 1,
  lastUsedAt: null,
  expiresAt: null,
  revoked: false,
};

export const JOIN_TOKEN: JoinTokenRecord = {
  id: "t-1",
  hash: "hash-j",
  group: "db",
  voter: true,
  autoApprove: false,
  usesLeft: 1,
  expiresAt: null,
  createdAt: 1,
  createdBy: "operator ada",
};
