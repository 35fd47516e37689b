import { Build, Version } from "./build.ts";
import { Reason } from "./job.ts";
import { Labels } from "./labels.ts";
import { ChannelName, GroupName, JobId, NodeId, NodeName, RolloutId } from "./names.ts";
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

/** `update` brings nodes to `release`; `rollback` brings those that a rollout moved back to what they ran before. */
export const RolloutKind = literals(["update", "rollback"]);
export type RolloutKind = Static<typeof RolloutKind>;

/**
 * Which nodes: those that fit every member that is given, of the approved ones. `nodes` are ids or names. An empty
 * object selects nobody; to mean everybody one says so.
 */
export const Selection = Type.Object(
  {
    all: Type.Optional(Type.Literal(true)),
    groups: Type.Optional(Type.Array(GroupName, { minItems: 1, maxItems: 10_000 })),
    nodes: Type.Optional(Type.Array(NodeName, { minItems: 1, maxItems: 100_000 })),
    /** Every one of these labels with this value. */
    labels: Type.Optional(Labels),
    /** Nodes of groups that follow this channel. */
    channel: Type.Optional(ChannelName),
  },
  { ...closed, title: "Selection" },
);
export type Selection = Static<typeof Selection>;

/** How a rollout goes forward, and when it stops. */
export const RolloutPolicy = Type.Object(
  {
    /** Cumulative shares of the snapshot, rising, the last of them 1. */
    stages: Type.Array(Type.Number({ exclusiveMinimum: 0, maximum: 1 }), { minItems: 1, maxItems: 20 }),
    /** Groups at work at once; independent nodes count one each. */
    concurrency: Type.Integer({ minimum: 1, maximum: 10_000 }),
    /**
     * Halts when more than this share of the nodes that a stage added has failed or gone back; 0 halts at the first.
     * Null: the first failure in a quorum group, 0.3 of the independent nodes.
     */
    threshold: nullable(Type.Number({ minimum: 0, maximum: 1 })),
    /** Between a stage and the next one; null waits for an operator's `resume`. */
    pauseMs: nullable(Type.Integer({ minimum: 0, maximum: 2_592_000_000 })),
    /** A node that stays offline when its turn would come: the rollout halts, or leaves it out. */
    offline: literals(["halt", "skip"]),
    /** What happens when too many have failed: it halts, or halts and brings every node of it back. */
    onFailure: literals(["halt", "rollback"]),
    /** Of the shuffle of the groups: the same seed gives the same order. */
    seed: Type.Integer({ minimum: 0, maximum: 4_294_967_295 }),
  },
  { ...closed, title: "RolloutPolicy" },
);
export type RolloutPolicy = Static<typeof RolloutPolicy>;

/** What is absent takes its default; `seed` then is drawn from the selection, and so is the same for the same. */
export const RolloutPolicyChoice = Type.Partial(RolloutPolicy, { title: "RolloutPolicyChoice" });
export type RolloutPolicyChoice = Static<typeof RolloutPolicyChoice>;

/** As it is asked for: what is out of bounds is refused by a code of its own, not as a malformed body. */
const RequestedPolicy = Type.Object(
  {
    ...RolloutPolicyChoice.properties,
    stages: Type.Optional(Type.Array(Type.Number(), { minItems: 1, maxItems: 20 })),
    threshold: Type.Optional(nullable(Type.Number())),
  },
  { ...closed, title: "RequestedRolloutPolicy" },
);

export const RolloutNode = Type.Object(
  {
    nodeId: NodeId,
    name: NodeName,
    group: GroupName,
    /** Of `stages`, from 0. */
    stage: Type.Integer({ minimum: 0 }),
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

export const StageStatus = literals(["pending", "running", "done"]);
export const RolloutStage = Type.Object(
  {
    /** Cumulative, of the whole snapshot. */
    share: Type.Number(),
    /** How many nodes this stage adds. */
    nodes: Type.Integer({ minimum: 0 }),
    status: StageStatus,
    reason: nullable(Reason),
    startedAt: nullable(Type.Integer()),
    endedAt: nullable(Type.Integer()),
  },
  { ...closed, title: "RolloutStage" },
);
export type RolloutStage = Static<typeof RolloutStage>;

/** How many nodes stand where. */
export const RolloutCounts = Type.Object(
  {
    pending: Type.Integer(),
    preparing: Type.Integer(),
    updating: Type.Integer(),
    succeeded: Type.Integer(),
    failed: Type.Integer(),
    rolledBack: Type.Integer(),
    skipped: Type.Integer(),
  },
  { ...closed, title: "RolloutCounts" },
);
export type RolloutCounts = Static<typeof RolloutCounts>;

/** Failures so far in the stage that counts, and how many it may have before the rollout halts. */
export const FailureBudget = Type.Object(
  { failed: Type.Integer({ minimum: 0 }), allowed: Type.Integer({ minimum: 0 }) },
  { ...closed, title: "FailureBudget" },
);

const summary = {
  id: RolloutId,
  kind: RolloutKind,
  /** For a rollback the release that the nodes leave. */
  release: Version,
  /** The rollout that this one takes back, and the one that takes this one back. */
  rollbackOf: nullable(RolloutId),
  rolledBackBy: nullable(RolloutId),
  selection: Selection,
  policy: RolloutPolicy,
  status: RolloutStatus,
  reason: nullable(Reason),
  acceptOutage: Type.Boolean(),
  /** Nodes that may be unhealthy all the same, asked for by id. */
  allowUnhealthy: Type.Array(NodeId),
  stages: Type.Array(RolloutStage),
  /** The stage at work, from 0. */
  stage: Type.Integer({ minimum: 0 }),
  counts: RolloutCounts,
  budget: FailureBudget,
  /** When it will be over by what past jobs took, wall clock of the coordinator; null when nothing is known. */
  estimatedEnd: nullable(Type.Integer()),
  planHash: nullable(Type.String()),
  startedBy: Type.String(),
  createdAt: Type.Integer(),
  endedAt: nullable(Type.Integer()),
};

/** A rollout without its nodes, as lists show it. */
export const RolloutSummary = Type.Object(summary, { ...closed, title: "RolloutSummary" });
export type RolloutSummary = Static<typeof RolloutSummary>;

/** An order to bring nodes to a release, group by group in stages; `nodes` is the snapshot, in the order of its turns. */
export const Rollout = Type.Object(
  { ...summary, nodes: Type.Array(RolloutNode) },
  { ...closed, title: "Rollout" },
);
export type Rollout = Static<typeof Rollout>;
export const RolloutList = Type.Object(
  { rollouts: Type.Array(RolloutSummary), next: nullable(Type.String()) },
  { ...closed, title: "RolloutList" },
);

/**
 * Without `release`: that of the selection's channel, or else the newest that is published. With `planHash` it is
 * refused when the plan is another by now.
 */
export const StartRolloutRequest = Type.Object(
  {
    selection: Selection,
    release: Type.Optional(Version),
    policy: Type.Optional(RequestedPolicy),
    planHash: Type.Optional(Type.String({ pattern: "^[0-9a-f]{64}$" })),
    acceptOutage: Type.Optional(Type.Boolean()),
    /** Ids or names. */
    allowUnhealthy: Type.Optional(Type.Array(NodeName, { maxItems: 1000 })),
    retry: Type.Optional(Type.Boolean()),
  },
  { ...closed, title: "StartRolloutRequest" },
);
export type StartRolloutRequest = Static<typeof StartRolloutRequest>;
