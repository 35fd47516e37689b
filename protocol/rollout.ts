import { Build, Version } from "./build.ts";
import { Reason } from "./job.ts";
import { GroupName, JobId, NodeId, NodeName, RolloutId } from "./names.ts";
import { literals, nullable, type Static, Type } from "./schema.ts";

const closed = { additionalProperties: false };

export const RolloutStatus = literals([
  "pending",
  "running",
  "paused",
  "halted",
  "completed",
  "cancelled",
  "failed",
]);
export type RolloutStatus = Static<typeof RolloutStatus>;
export const RolloutNodeStatus = literals([
  "pending",
  "preparing",
  "updating",
  "succeeded",
  "failed",
  "rolled-back",
  "skipped",
]);
export type RolloutNodeStatus = Static<typeof RolloutNodeStatus>;

export const RolloutNode = Type.Object(
  {
    nodeId: NodeId,
    name: NodeName,
    group: GroupName,
    status: RolloutNodeStatus,
    from: nullable(Build),
    to: nullable(Build),
    jobId: nullable(JobId),
    reason: nullable(Reason),
    startedAt: nullable(Type.Integer()),
    endedAt: nullable(Type.Integer()),
  },
  { ...closed, title: "RolloutNode" },
);
export type RolloutNode = Static<typeof RolloutNode>;

/** An order to bring a group to a release, node by node; `nodes` is the snapshot taken when it started. */
export const Rollout = Type.Object(
  {
    id: RolloutId,
    release: Version,
    group: GroupName,
    status: RolloutStatus,
    reason: nullable(Reason),
    acceptOutage: Type.Boolean(),
    nodes: Type.Array(RolloutNode),
    startedBy: Type.String(),
    createdAt: Type.Integer(),
    endedAt: nullable(Type.Integer()),
  },
  { ...closed, title: "Rollout" },
);
export type Rollout = Static<typeof Rollout>;
export const RolloutList = Type.Object(
  { rollouts: Type.Array(Rollout), next: nullable(Type.String()) },
  { ...closed, title: "RolloutList" },
);

/** Without `release`, the newest that is published. */
export const StartRolloutRequest = Type.Object(
  {
    group: GroupName,
    release: Type.Optional(Version),
    acceptOutage: Type.Optional(Type.Boolean()),
    retry: Type.Optional(Type.Boolean()),
  },
  { ...closed, title: "StartRolloutRequest" },
);
export type StartRolloutRequest = Static<typeof StartRolloutRequest>;
