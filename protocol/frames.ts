/**
 * The frames between an agent and its coordinator, the same over WebSocket (`GET /v1/session`, one JSON text
 * message each) and over HTTP (`POST /v1/heartbeat`, a list each way).
 *
 * Invariants:
 * - `hello` opens a session and ends every earlier one of the node; it is answered by `welcome` with a fresh nonce.
 * - Every later frame of the agent carries that nonce and a `seq` that only rises; anything else proves nothing.
 * - What protocol 1 does not know is said in a session of protocol 2 alone: objects are closed, on both sides.
 * - `orders` is the whole of what the coordinator wants right now, not a change to it: losing, repeating or
 *   reordering it does no harm. The agent takes the one with the highest `seq` of its session.
 */
import { Build, Platform, Version } from "./build.ts";
import { Finding, MAX_FINDINGS } from "./finding.ts";
import { HealthReport } from "./health.ts";
import { JobCause, LogLine, Reason, Step } from "./job.ts";
import { FinalWord, JournalReport, QuarantineEntry } from "./journal.ts";
import { GroupName, InstanceId, JobId, NodeId, NodeName, SessionId } from "./names.ts";
import { literals, nullable, type Static, Type } from "./schema.ts";
import { LeaseToken } from "./token.ts";

/**
 * Version of the protocol that this source speaks. 2 added: `Welcome.protocol`, `Heartbeat.crashes`,
 * `Orders.diagnose` and the frame `diagnosis`.
 */
export const PROTOCOL = 2;

/** Oldest version that is still spoken, on both sides. */
export const OLDEST_PROTOCOL = 1;

/** Name of the WebSocket subprotocol. */
export const SUBPROTOCOL = "baton.v1";

/** Largest frame or HTTP body of frames, bytes. */
export const MAX_FRAME_BYTES = 262_144;

const closed = { additionalProperties: false };
const Seq = Type.Integer({ minimum: 1 });

/** The states of the update machine, as reports name them. */
export const UPDATE_STATES = [
  "idle",
  "preparing",
  "prepared",
  "reserving",
  "handing-over",
  "committing",
  "draining",
  "resuming",
  "swapping",
  "probation",
  "confirming",
  "going-back",
  "exiting",
] as const;

/** Where the agent's update machine stands. */
export const UpdateReport = Type.Object(
  {
    state: literals(UPDATE_STATES),
    jobId: nullable(JobId),
    build: nullable(Build),
    step: nullable(Step),
    percent: Type.Integer({ minimum: 0, maximum: 100 }),
    bytesPerSecond: nullable(Type.Integer({ minimum: 0 })),
    /** Why it waits, or why the job named by `jobId` ended. */
    reason: nullable(Reason),
    /** The job named by `jobId` ended before any lease was taken; `reason` says why. */
    failed: Type.Boolean(),
  },
  { ...closed, title: "UpdateReport" },
);
export type UpdateReport = Static<typeof UpdateReport>;

/** What a node stays on and will not try. */
export const NodeHoldings = Type.Object(
  {
    /** What `dist.bak` names, if anything. */
    backup: nullable(Build),
    /** Set by a rollback on purpose: the node stays on its build until told to retry. */
    hold: Type.Boolean(),
    quarantine: Type.Array(QuarantineEntry, { maxItems: 64 }),
  },
  closed,
);
export type NodeHoldings = Static<typeof NodeHoldings>;

export const Hello = Type.Object(
  {
    type: Type.Literal("hello"),
    protocol: Type.Integer({ minimum: 1 }),
    instanceId: InstanceId,
    /** What this process runs, not what `dist` names. */
    build: Build,
    platform: Platform,
    /** Version of Node that runs the agent, without the leading "v". */
    runtime: Type.String({ maxLength: 64 }),
    /** The workload has a `handover` hook, and so leadership must have left before a commit. */
    canHandOver: Type.Boolean(),
    journal: JournalReport,
    finalWords: Type.Array(FinalWord, { maxItems: 64 }),
    holdings: NodeHoldings,
  },
  { ...closed, title: "Hello" },
);
export type Hello = Static<typeof Hello>;

export const Heartbeat = Type.Object(
  {
    type: Type.Literal("heartbeat"),
    session: SessionId,
    seq: Seq,
    instanceId: InstanceId,
    health: HealthReport,
    journal: JournalReport,
    finalWords: Type.Array(FinalWord, { maxItems: 64 }),
    update: UpdateReport,
    holdings: NodeHoldings,
    /** Since protocol 2: how often in a row this build ended although nobody stopped it, as its launcher counts. */
    crashes: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  { ...closed, title: "Heartbeat" },
);
export type Heartbeat = Static<typeof Heartbeat>;

export const Log = Type.Object(
  {
    type: Type.Literal("log"),
    session: SessionId,
    seq: Seq,
    jobId: JobId,
    lines: Type.Array(LogLine, { minItems: 1, maxItems: 100 }),
  },
  { ...closed, title: "Log" },
);
export type Log = Static<typeof Log>;

/**
 * Since protocol 2: what `agent doctor` found for a diagnosis that the orders ask for. Said again and again until
 * the orders do not ask any more. `ok`: none of the findings is a problem.
 */
export const Diagnosis = Type.Object(
  {
    type: Type.Literal("diagnosis"),
    session: SessionId,
    seq: Seq,
    jobId: JobId,
    ok: Type.Boolean(),
    findings: Type.Array(Finding, { maxItems: MAX_FINDINGS }),
  },
  { ...closed, title: "Diagnosis" },
);
export type Diagnosis = Static<typeof Diagnosis>;

export const AgentFrame = Type.Union([Hello, Heartbeat, Log, Diagnosis], { title: "AgentFrame" });
export type AgentFrame = Static<typeof AgentFrame>;

export const Welcome = Type.Object(
  {
    type: Type.Literal("welcome"),
    session: SessionId,
    nodeId: NodeId,
    name: NodeName,
    group: GroupName,
    heartbeatMs: Type.Integer({ minimum: 10 }),
    /** The protocol of this session, the lower of what both speak; missing, it is 1. */
    protocol: Type.Optional(Type.Integer({ minimum: 2 })),
  },
  { ...closed, title: "Welcome" },
);
export type Welcome = Static<typeof Welcome>;

/** The job that the node is to work on. `update` installs `release`; `rollback` goes back to `dist.bak`. */
export const Desired = Type.Object(
  {
    jobId: JobId,
    kind: literals(["update", "rollback"]),
    cause: JobCause,
    release: nullable(Version),
    /** For this node's platform. For a rollback what is to be gone back to, and nothing else; null if nobody says so. */
    build: nullable(Build),
    /** Asked for by name: lifts a quarantine and a hold. */
    retry: Type.Boolean(),
    /** Longest random wait before fetching, so that a stage does not fetch all at once. */
    jitterMs: Type.Integer({ minimum: 0 }),
  },
  { ...closed, title: "Desired" },
);
export type Desired = Static<typeof Desired>;

/** Another node of the group that is healthy; the handover hook gets those that are updated first. */
export const Peer = Type.Object(
  {
    id: NodeId,
    name: NodeName,
    build: nullable(Build),
    updated: Type.Boolean(),
    role: Type.Optional(Type.String()),
  },
  { ...closed, title: "Peer" },
);
export type Peer = Static<typeof Peer>;

export const Orders = Type.Object(
  {
    type: Type.Literal("orders"),
    session: SessionId,
    seq: Seq,
    desired: nullable(Desired),
    /** Leave to ask for the lease, for this job. */
    turn: nullable(Type.Object({ jobId: JobId, peers: Type.Array(Peer, { maxItems: 64 }) }, closed)),
    /** Why there is no turn, when there is a job. */
    waiting: nullable(Reason),
    /** Keep the build that this very instance runs under this token. */
    confirm: nullable(Type.Object({ token: LeaseToken, instanceId: InstanceId }, closed)),
    /** Final words that are stored; the agent stops repeating them. */
    acknowledged: Type.Array(LeaseToken, { maxItems: 64 }),
    /** For each job whose log the coordinator has a part of: the index that it wants next. */
    logNext: Type.Array(Type.Object({ jobId: JobId, index: Type.Integer({ minimum: 0 }) }, closed), {
      maxItems: 16,
    }),
    /** Since protocol 2: look at yourself for this job, which touches no update and needs no turn. */
    diagnose: Type.Optional(Type.Object({ jobId: JobId }, closed)),
  },
  { ...closed, title: "Orders" },
);
export type Orders = Static<typeof Orders>;

/** The frame that it answers counted for nothing; after `unknown-session` the agent says hello again. */
export const Refused = Type.Object(
  {
    type: Type.Literal("refused"),
    code: literals(["unknown-session", "stale-seq", "protocol", "malformed"]),
    message: Type.String(),
  },
  { ...closed, title: "Refused" },
);
export type Refused = Static<typeof Refused>;

export const CoordinatorFrame = Type.Union([Welcome, Orders, Refused], { title: "CoordinatorFrame" });
export type CoordinatorFrame = Static<typeof CoordinatorFrame>;

/** Body of `POST /v1/heartbeat` and of its answer. */
export const AgentFrames = Type.Object(
  { frames: Type.Array(AgentFrame, { minItems: 1, maxItems: 32 }) },
  { ...closed, title: "AgentFrames" },
);
export type AgentFrames = Static<typeof AgentFrames>;
export const CoordinatorFrames = Type.Object(
  { frames: Type.Array(CoordinatorFrame) },
  { ...closed, title: "CoordinatorFrames" },
);
export type CoordinatorFrames = Static<typeof CoordinatorFrames>;

/** WebSocket close codes of our own; 1008 and 1009 are used as RFC 6455 7.4.1 defines them. */
export const CLOSE = {
  goingAway: 1001,
  policy: 1008,
  tooLarge: 1009,
  superseded: 4001,
  malformed: 4002,
  revoked: 4003,
} as const;
