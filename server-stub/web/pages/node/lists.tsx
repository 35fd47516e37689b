import type { AuditEntry } from "../../../../protocol/audit.ts";
import type { Job } from "../../../../protocol/job.ts";
import { State } from "../../parts/mark.tsx";
import { Empty, Skeleton } from "../../parts/panel.tsx";
import { ProblemNote } from "../../parts/problem.tsx";
import { Time } from "../../parts/time.tsx";
import { Link } from "../../router/link.tsx";
import type { Resource } from "../../store/use.ts";
import { doingOf, JOB_TONE } from "../rollout/history.ts";

/** Its jobs, newest first, each with what it does or why it ended. */
export function NodeJobs({ jobs }: { readonly jobs: Resource<{ readonly jobs: readonly Job[] }> }) {
  if (jobs.kind === "waiting") return <Skeleton lines={4} />;
  if (jobs.kind === "failed") return <ProblemNote problem={jobs.problem} />;
  if (jobs.value.jobs.length === 0) return <Empty title="It has had no job yet." />;
  return (
    <ul class="node-list">
      {jobs.value.jobs.map((job) => (
        <li key={job.id} data-job={job.id}>
          <p>
            <Link to={`/jobs/${job.id}`}>
              {job.kind}
              {job.release === null ? "" : ` to ${job.release}`}
            </Link>{" "}
            <State tone={JOB_TONE[job.status]}>
              {job.status === "running" ? `${doingOf(job)}, ${job.percent} %` : job.status}
            </State>
          </p>
          <p class="soft small name">
            <Time at={job.endedAt ?? job.startedAt ?? job.createdAt} />
            {job.rolloutId === null ? null : (
              <>
                {" "}
                · <Link to={`/rollouts/${job.rolloutId}`}>{job.rolloutId}</Link>
              </>
            )}
            {job.reason === null ? "" : ` · ${job.reason.message}`}
          </p>
        </li>
      ))}
    </ul>
  );
}

/** Who changed what of it. */
export function NodeAudit({
  audit,
}: {
  readonly audit: Resource<{ readonly entries: readonly AuditEntry[] }>;
}) {
  if (audit.kind === "waiting") return <Skeleton lines={4} />;
  if (audit.kind === "failed") return <ProblemNote problem={audit.problem} />;
  if (audit.value.entries.length === 0) return <Empty title="Nobody has changed anything of it." />;
  return (
    <ul class="node-list">
      {audit.value.entries.map(({ id, action, actor, at }) => (
        <li key={id}>
          <p class="mono">{action}</p>
          <p class="soft small">
            <span class="name">{actor}</span> · <Time at={at} />
          </p>
        </li>
      ))}
    </ul>
  );
}
