import type { JobRecord } from "../../../server-stub/core/job/job.ts";
import type { LeaseRecord } from "../../../server-stub/core/lease/record.ts";
import type { RolloutRecord } from "../../../server-stub/core/rollout/rollout.ts";
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

export const ROLLOUT: RolloutRecord = {
  id: "r-1",
  release: "1.0.0",
  group: "db",
  mode: "quorum",
  retry: false,
  status: "running",
  reason: null,
  acceptOutage: false,
  nodes: [],
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
