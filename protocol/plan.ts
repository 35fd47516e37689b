/** What a rollout would do, and whether it may: the answer of a dry run. Nothing was changed. */
import { Build, Version } from "./build.ts";
import { Reason } from "./job.ts";
import { GroupName, NodeId, NodeName } from "./names.ts";
import { RolloutKind, RolloutPolicy } from "./rollout.ts";
import { literals, nullable, type Static, Type } from "./schema.ts";

const closed = { additionalProperties: false };

/**
 * What preflight looks at, each with numbers of its own, in the order in which a refusal's code is chosen. Space on a
 * node's disk is none of them: agents say nothing of it, and each refuses by itself when it prepares.
 */
export const CHECKS = [
  "rollout",
  "already-up-to-date",
  "platform",
  "engine",
  "protocol",
  "floor",
  "online",
  "healthy",
  "draining",
  "lease",
  "quorum",
  "leader",
  "window",
  "selection",
] as const;
export type CheckName = (typeof CHECKS)[number];

/** One look at the world. `refused` keeps the rollout from starting; `warned` is worth knowing. */
export const Check = Type.Object(
  {
    check: literals(CHECKS),
    outcome: literals(["passed", "warned", "refused"]),
    /** The problem that a start is refused with, or what would be waited for; null when it passed. */
    code: nullable(Type.String()),
    message: Type.String(),
    /** The option that a person may say to start all the same; null when there is none. */
    override: nullable(literals(["accept-outage", "allow-unhealthy", "retry", "offline-skip"])),
    group: nullable(GroupName),
    nodeId: nullable(NodeId),
    numbers: Type.Record(Type.String(), Type.Number()),
  },
  { ...closed, title: "Check" },
);
export type Check = Static<typeof Check>;

export const PlannedNode = Type.Object(
  {
    nodeId: NodeId,
    name: NodeName,
    group: GroupName,
    stage: Type.Integer({ minimum: 0 }),
    role: nullable(Type.String()),
    from: nullable(Build),
    to: nullable(Build),
  },
  { ...closed, title: "PlannedNode" },
);
export type PlannedNode = Static<typeof PlannedNode>;

export const PlannedSkip = Type.Object(
  { nodeId: NodeId, name: NodeName, group: GroupName, reason: Reason },
  { ...closed, title: "PlannedSkip" },
);
export type PlannedSkip = Static<typeof PlannedSkip>;

/**
 * How long it should take, by the median of `jobs` updates that succeeded lately, each from its lease to its end.
 * What fetching takes beforehand, and any waiting for windows or for people, comes on top.
 */
export const Estimate = Type.Object(
  { perNodeMs: Type.Integer(), totalMs: Type.Integer(), jobs: Type.Integer({ minimum: 1 }) },
  { ...closed, title: "Estimate" },
);
export type Estimate = Static<typeof Estimate>;

export const RolloutPlan = Type.Object(
  {
    kind: RolloutKind,
    release: Version,
    /** Over release, order, skips, policy and membership; it says nothing of time, nor of who is there. */
    hash: Type.String({ pattern: "^[0-9a-f]{64}$" }),
    /** False when a check refuses. */
    startable: Type.Boolean(),
    checks: Type.Array(Check),
    stages: Type.Array(
      Type.Object({ share: Type.Number(), nodes: Type.Integer(), groups: Type.Integer() }, closed),
    ),
    /** In the order of the turns, as far as it is known beforehand. */
    nodes: Type.Array(PlannedNode),
    skips: Type.Array(PlannedSkip),
    policy: RolloutPolicy,
    estimate: nullable(Estimate),
  },
  { ...closed, title: "RolloutPlan" },
);
export type RolloutPlan = Static<typeof RolloutPlan>;
