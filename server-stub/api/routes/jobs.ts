import {
  AppendLogRequest,
  Job,
  JobKind,
  JobList,
  JobLogPage,
  JobStatus,
  LogAppended,
} from "../../../protocol/job.ts";
import { JobId, NodeId, RolloutId } from "../../../protocol/names.ts";
import { JobStarted } from "../../../protocol/node.ts";
import { PAGE_SIZE, pageQuery } from "../../../protocol/paging.ts";
import { ok, type Result } from "../../../protocol/result.ts";
import { Type } from "../../../protocol/schema.ts";
import type { Coordinator, Principal, Refusal } from "../../service/coordinator.ts";
import { cursorOf, numberOf } from "../cursors.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { ownNode } from "../own.ts";
import { started } from "./nodes.ts";

const params = Type.Object({ jobId: JobId });

/** `from`: index of the first line wanted. */
const LogQuery = Type.Object(
  {
    from: Type.Optional(Type.Integer({ minimum: 0 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  },
  { additionalProperties: false },
);

const JobsQuery = Type.Object(
  {
    ...pageQuery,
    node: Type.Optional(NodeId),
    status: Type.Optional(JobStatus),
    kind: Type.Optional(JobKind),
    rollout: Type.Optional(RolloutId),
  },
  { additionalProperties: false },
);

export const jobRoutes = ({ jobs }: Pick<Coordinator, "jobs">): readonly Endpoint[] => [
  endpoint({
    route: "GET /v1/jobs",
    id: "listJobs",
    summary: "The jobs, newest first; of one node, rollout, status or kind when asked",
    callers: "operator",
    query: JobsQuery,
    answer: JobList,
    handle: async ({ query }) => {
      const { node: nodeId, rollout: rolloutId, status, kind, limit = PAGE_SIZE.usual, cursor } = query;
      const before = numberOf(cursor);
      if (!before.ok) return before;
      const page = await jobs.list({ nodeId, rolloutId, status, kind, limit, before: before.value });
      return ok({ jobs: [...page.jobs], next: cursorOf(page.next) });
    },
  }),
  endpoint({
    route: "GET /v1/jobs/:jobId",
    id: "getJob",
    summary: "One unit of work on one node",
    callers: "known",
    params,
    answer: Job,
    handle: ({ by, params }) => ownJob(jobs, by, params.jobId),
  }),
  endpoint({
    route: "POST /v1/jobs/:jobId/cancel",
    id: "cancelJob",
    summary:
      "End a job that is not in flight; a reservation is dropped, and nothing of it was changed on the node",
    callers: "known",
    params,
    answer: Job,
    handle: async ({ by, params }) => {
      const job = await ownJob(jobs, by, params.jobId);
      return job.ok ? jobs.cancel(by, params.jobId) : job;
    },
  }),
  endpoint({
    route: "POST /v1/jobs/:jobId/retry",
    id: "retryJob",
    summary: "Begin a failed or cancelled job anew, as another job",
    callers: "operator",
    params,
    answer: JobStarted,
    status: 202,
    handle: async ({ by, params }) => started(await jobs.retry(by, params.jobId)),
  }),
  endpoint({
    route: "GET /v1/jobs/:jobId/log",
    id: "getJobLog",
    summary: "A job's log, which spans the restart; ask again from `next` to follow it",
    callers: "known",
    params,
    query: LogQuery,
    answer: JobLogPage,
    handle: async ({ by, params, query: { from = 0, limit = 200 } }) => {
      const job = await ownJob(jobs, by, params.jobId);
      if (!job.ok) return job;
      const lines = await jobs.log(params.jobId, from, limit);
      if (!lines.ok) return lines;
      return ok({ lines: [...lines.value], next: (lines.value.at(-1)?.index ?? from - 1) + 1 });
    },
  }),
  endpoint({
    route: "POST /v1/jobs/:jobId/log",
    id: "appendJobLog",
    summary: "Lines of a job's log from the node that works on it; repeated lines are stored once",
    callers: "node",
    params,
    body: AppendLogRequest,
    answer: LogAppended,
    handle: async ({ by, params, body }) => {
      const job = await ownJob(jobs, by, params.jobId);
      if (!job.ok) return job;
      const next = await jobs.append(by.nodeId, params.jobId, body.lines);
      return next.ok ? ok({ next: next.value }) : next;
    },
  }),
];

/** The job, when the caller may speak of its node. */
async function ownJob(jobs: Coordinator["jobs"], by: Principal, jobId: JobId): Promise<Result<Job, Refusal>> {
  const job = await jobs.get(jobId);
  if (!job.ok) return job;
  const own = ownNode(by, job.value.nodeId);
  return own.ok ? job : own;
}
