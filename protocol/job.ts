import { Build, Version } from "./build.ts";
import { JobId, NodeId, RolloutId } from "./names.ts";
import { literals, type Static, Type } from "./schema.ts";

/** The steps of an update, in their order, as progress shows them. */
export const STEPS = [
  "preflight",
  "fetch",
  "prepare",
  "reserve",
  "handover",
  "commit",
  "drain",
  "swap",
  "restart",
  "health",
  "stabilize",
  "confirm",
  "rollback",
  "complete",
  "cancelled",
] as const;
export const Step = literals(STEPS);
export type Step = (typeof STEPS)[number];

export const JobKind = literals(["update", "rollback", "diagnose"]);
export type JobKind = Static<typeof JobKind>;
export const JobStatus = literals(["queued", "running", "succeeded", "failed", "cancelled"]);
export type JobStatus = Static<typeof JobStatus>;

/** Why something is where it is: a stable code and a sentence for people. */
export const Reason = Type.Object(
  { code: Type.String({ maxLength: 64 }), message: Type.String({ maxLength: 2000 }) },
  { additionalProperties: false, title: "Reason" },
);
export type Reason = Static<typeof Reason>;

/** What asked for a job. */
export const JobCause = literals(["rollout", "update-now", "operator", "catch-up"]);
export type JobCause = Static<typeof JobCause>;

/** One unit of work on one node. `percent` is of the whole job, `bytesPerSecond` while it downloads. */
export const Job = Type.Object(
  {
    id: JobId,
    kind: JobKind,
    nodeId: NodeId,
    cause: JobCause,
    rolloutId: Type.Union([RolloutId, Type.Null()]),
    /** Release that an update installs; for a rollback the version of `dist.bak`, once known. */
    release: Type.Union([Version, Type.Null()]),
    from: Type.Union([Build, Type.Null()]),
    to: Type.Union([Build, Type.Null()]),
    retry: Type.Boolean(),
    /** The job that this one does over; null when it is none's. */
    retryOf: Type.Union([JobId, Type.Null()]),
    status: JobStatus,
    step: Type.Union([Step, Type.Null()]),
    percent: Type.Integer({ minimum: 0, maximum: 100 }),
    bytesPerSecond: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
    reason: Type.Union([Reason, Type.Null()]),
    createdAt: Type.Integer(),
    startedAt: Type.Union([Type.Integer(), Type.Null()]),
    endedAt: Type.Union([Type.Integer(), Type.Null()]),
  },
  { additionalProperties: false, title: "Job" },
);
export type Job = Static<typeof Job>;

export const JobList = Type.Object(
  { jobs: Type.Array(Job), next: Type.Union([Type.String(), Type.Null()]) },
  { additionalProperties: false, title: "JobList" },
);

/** One line of a job's log. `index` counts from 0 within the job and spans the restart; a repeated line is the same line. */
export const LogLine = Type.Object(
  {
    index: Type.Integer({ minimum: 0 }),
    at: Type.Integer({ description: "Wall clock of the machine that wrote it, milliseconds since 1970" }),
    source: literals(["agent", "coordinator", "hook"]),
    step: Type.Union([Step, Type.Null()]),
    text: Type.String({ maxLength: 8192 }),
  },
  { additionalProperties: false, title: "LogLine" },
);
export type LogLine = Static<typeof LogLine>;

/** A part of a job's log; `next` is the index to ask for next. */
export const JobLogPage = Type.Object(
  { lines: Type.Array(LogLine), next: Type.Integer({ minimum: 0 }) },
  { additionalProperties: false, title: "JobLogPage" },
);
export const AppendLogRequest = Type.Object(
  { lines: Type.Array(LogLine, { minItems: 1, maxItems: 100 }) },
  { additionalProperties: false, title: "AppendLogRequest" },
);
/** `next`: the index that the coordinator wants next. */
export const LogAppended = Type.Object(
  { next: Type.Integer({ minimum: 0 }) },
  { additionalProperties: false, title: "LogAppended" },
);
