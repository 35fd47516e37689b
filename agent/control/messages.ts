/**
 * What the `agent` command and the running agent say to each other over the control socket. Both may be of
 * different builds (the command runs from the package, the agent from `dist`), so members that are not known are
 * left alone.
 */
import { Build } from "../../protocol/build.ts";
import { UpdateReport } from "../../protocol/frames.ts";
import { HealthReport } from "../../protocol/health.ts";
import { LogLine, Reason } from "../../protocol/job.ts";
import { FinalWord, JournalReport, QuarantineEntry } from "../../protocol/journal.ts";
import { InstanceId, JobId } from "../../protocol/names.ts";
import { literals, nullable, type Static, Type } from "../../protocol/schema.ts";

/** How a job ended on this node. `withdrawn`: the coordinator did not want it any more. */
export const JobEnd = Type.Object({
  result: literals(["succeeded", "rolled-back", "failed", "not-acted", "inconclusive", "unknown"]),
  reason: nullable(Reason),
});
export type JobEnd = Static<typeof JobEnd>;

/** The job that the agent works on, or worked on last; `end` is null while it is under way. */
export const LocalJob = Type.Object({ jobId: JobId, end: nullable(JobEnd) });
export type LocalJob = Static<typeof LocalJob>;

export const AgentStatus = Type.Object(
  {
    instanceId: InstanceId,
    pid: Type.Integer(),
    startedAt: Type.Integer(),
    /** What this process runs. */
    build: Build,
    /** What `dist.bak` names. */
    backup: nullable(Build),
    hold: Type.Boolean(),
    quarantine: Type.Array(QuarantineEntry),
    /** Who this node is; null before it has joined. */
    node: nullable(Type.Object({ id: Type.String(), name: Type.String(), group: Type.String() })),
    session: Type.Object({
      connected: Type.Boolean(),
      transport: nullable(Type.String()),
      server: nullable(Type.String()),
      since: nullable(Type.Integer()),
      fault: nullable(Reason),
    }),
    health: HealthReport,
    update: UpdateReport,
    journal: JournalReport,
    /** Last words that the coordinator has not acknowledged yet. */
    finalWords: Type.Array(FinalWord),
    job: nullable(LocalJob),
    poll: Type.Object({
      enabled: Type.Boolean(),
      schedule: Type.String(),
      nextAt: nullable(Type.Integer()),
      lastAt: nullable(Type.Integer()),
      fault: nullable(Reason),
    }),
    /** What was found amiss at start, in sentences. */
    notes: Type.Array(Type.String()),
  },
  { title: "AgentStatus" },
);
export type AgentStatus = Static<typeof AgentStatus>;

export const UpdateRequest = Type.Object(
  { retry: Type.Optional(Type.Boolean()) },
  { additionalProperties: false, title: "UpdateRequest" },
);
export const NoRequest = Type.Object({}, { additionalProperties: false, title: "NoRequest" });

/** A job is under way. */
export const Started = Type.Object({ jobId: JobId }, { title: "Started" });
export type Started = Static<typeof Started>;

export const InstallReply = Type.Object({
  build: Build,
  /** `prepared`: it lies ready and goes live by lease. `running`: it is what `dist` names now. */
  outcome: literals(["prepared", "installed"]),
  message: Type.String(),
});
export type InstallReply = Static<typeof InstallReply>;

/** A job's log on this node. */
export const JobSummary = Type.Object({ jobId: JobId, at: Type.Integer(), lines: Type.Integer() });
export const JobSummaries = Type.Object({ jobs: Type.Array(JobSummary) });
export type JobSummary = Static<typeof JobSummary>;

/** One line of a stream (NDJSON): a line of the job's log, where the update stands, or how the job ended. */
export const WatchEvent = Type.Union(
  [
    Type.Object({ type: Type.Literal("log"), line: LogLine }),
    Type.Object({ type: Type.Literal("progress"), update: UpdateReport }),
    Type.Object({ type: Type.Literal("end"), jobId: JobId, end: JobEnd }),
  ],
  { title: "WatchEvent" },
);
export type WatchEvent = Static<typeof WatchEvent>;
