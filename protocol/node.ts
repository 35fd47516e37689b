import { Build, Platform, Version } from "./build.ts";
import { UpdateReport } from "./frames.ts";
import { GroupMode } from "./group.ts";
import { HealthReport } from "./health.ts";
import { Reason } from "./job.ts";
import { JournalReport, QuarantineEntry } from "./journal.ts";
import { Labels } from "./labels.ts";
import { GroupName, JobId, NodeId, NodeName } from "./names.ts";
import { literals, nullable, type Static, Type } from "./schema.ts";

const closed = { additionalProperties: false };

/** `unknown`: the coordinator has just started and has not heard anybody yet; neither offline nor serving. */
export const PresenceState = literals(["online", "offline", "unknown"]);
export type PresenceState = Static<typeof PresenceState>;

/** A node as the API shows it: what is configured, and what was heard last. */
export const Node = Type.Object(
  {
    id: NodeId,
    name: NodeName,
    group: GroupName,
    voter: Type.Boolean(),
    labels: Labels,
    membership: literals(["pending", "approved", "revoked"]),
    presence: PresenceState,
    lastSeenAt: nullable(Type.Integer()),
    /** Where it was heard from last, as the coordinator saw it. */
    address: nullable(Type.String()),
    platform: nullable(Platform),
    build: nullable(Build),
    backup: nullable(Build),
    hold: Type.Boolean(),
    quarantine: Type.Array(QuarantineEntry),
    health: nullable(HealthReport),
    serving: Type.Boolean(),
    journal: nullable(JournalReport),
    update: nullable(UpdateReport),
    desired: nullable(Version),
    /** What it would be brought to if nobody named a release: its channel's, or else the newest for its platform. */
    latest: nullable(Version),
    /** Runs another build than the latest. Never true for a node without a known build. */
    outdated: Type.Boolean(),
    /** Runs another build than the one desired. Never true for a node without a known build. */
    behind: Type.Boolean(),
    jobId: nullable(JobId),
    reason: nullable(Reason),
    createdAt: Type.Integer(),
    /** What it speaks in place of an agent; absent for agents. It has no build and no presence. */
    client: Type.Optional(Type.Literal("fleet-lock")),
  },
  { ...closed, title: "Node" },
);
export type Node = Static<typeof Node>;
export const NodeList = Type.Object(
  { nodes: Type.Array(Node), next: nullable(Type.String()) },
  { ...closed, title: "NodeList" },
);

/** Without `release` the desired one, or the newest where none is desired. `retry` lifts a hold and a quarantine. */
export const UpdateNodeRequest = Type.Object(
  { release: Type.Optional(Version), retry: Type.Optional(Type.Boolean()) },
  { ...closed, title: "UpdateNodeRequest" },
);
export const JobStarted = Type.Object({ jobId: JobId }, { ...closed, title: "JobStarted" });
export type JobStarted = Static<typeof JobStarted>;

/** Changes to what is configured of a node; what is absent stays. */
export const EditNodeRequest = Type.Object(
  {
    group: Type.Optional(GroupName),
    voter: Type.Optional(Type.Boolean()),
    labels: Type.Optional(Labels),
  },
  { ...closed, title: "EditNodeRequest" },
);
export type EditNodeRequest = Static<typeof EditNodeRequest>;

/** What removing a node would do to its group; nothing was changed. Before and after the removal. */
export const RemovalPreview = Type.Object(
  {
    group: GroupName,
    mode: GroupMode,
    votersBefore: Type.Integer({ minimum: 0 }),
    votersAfter: Type.Integer({ minimum: 0 }),
    quorumBefore: Type.Integer({ minimum: 0 }),
    quorumAfter: Type.Integer({ minimum: 0 }),
    /** Voters that would serve right now without it. */
    servingAfter: Type.Integer({ minimum: 0 }),
    /** It holds the group's lease, or owes its last word on one: that ends with it. */
    holdsLease: Type.Boolean(),
    /** What to think of before; null when nothing. */
    warning: nullable(Type.String()),
  },
  { ...closed, title: "RemovalPreview" },
);
export type RemovalPreview = Static<typeof RemovalPreview>;

/** Which release the asking node should be on, and the job that brings it there once there is one. */
export const DesiredView = Type.Object(
  {
    nodeId: NodeId,
    group: GroupName,
    release: nullable(Version),
    behind: Type.Boolean(),
    jobId: nullable(JobId),
    reason: nullable(Reason),
  },
  { ...closed, title: "DesiredView" },
);
