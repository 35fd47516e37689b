import { useComputed } from "@preact/signals";
import type { Job } from "../../../../protocol/job.ts";
import { Action } from "../../parts/action.tsx";
import { shortDuration } from "../../parts/duration.ts";
import { Facts } from "../../parts/facts.tsx";
import { Chip } from "../../parts/mark.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { Panel, Skeleton } from "../../parts/panel.tsx";
import { ProblemNote } from "../../parts/problem.tsx";
import { Since, Time } from "../../parts/time.tsx";
import { Link } from "../../router/link.tsx";
import { useRouter } from "../../router/router.ts";
import { useStore } from "../../store/store.ts";
import { useCollection, useResource } from "../../store/use.ts";
import { JobLogPanel } from "./log.tsx";
import { isAtWork, JOB_TONE, standing, wayOf, whyNoCancel, whyNoRetry } from "./model.ts";
import "./jobs.css";

/** One unit of work on one node, and all that was written about it. */
export function JobPage({ params: { jobId = "" } }: { readonly params: Readonly<Record<string, string>> }) {
  return <OneJob key={jobId} id={jobId} />;
}

function OneJob({ id }: { readonly id: string }) {
  const job = useResource<Job>(
    `/v1/jobs/${encodeURIComponent(id)}`,
    ["job", "node", "lease"],
    ({ kind, subject, value }) =>
      kind === "job"
        ? subject === id
        : kind === "lease" || (value as { jobId?: string } | null)?.jobId === id,
  );
  const ended = useComputed(() => job.value.kind === "ready" && !isAtWork(job.value.value));
  const now = job.value;
  if (now.kind === "ready") return <Known job={now.value} ended={ended} />;
  return (
    <>
      <PageHead title={`Job ${id}`} />
      {now.kind === "failed" ? (
        <>
          <ProblemNote problem={now.problem} />
          <p>
            Jobs that are over are let go of after a while. <Link to="/jobs">All jobs</Link>
          </p>
        </>
      ) : (
        <Skeleton lines={6} />
      )}
    </>
  );
}

function Known({
  job,
  ended,
}: {
  readonly job: Job;
  readonly ended: Parameters<typeof JobLogPanel>[0]["ended"];
}) {
  const { nodes } = useStore();
  const router = useRouter();
  useCollection(nodes);
  void nodes.keys.value;
  const node = nodes.get(job.nodeId)?.value;
  const name = node?.name ?? job.nodeId;
  const way = wayOf(job);
  return (
    <>
      <PageHead title={`${KIND_NAMES[job.kind]} of ${name}`}>
        <Action
          needs="operator"
          name="Cancel"
          kind="danger"
          why={whyNoCancel(job)}
          question={`Cancel the ${job.kind} of ${name}?`}
          path={`/v1/jobs/${job.id}/cancel`}
          about={job.id}
        >
          {name} stays on what it runs. What it has fetched is kept for the next time.
        </Action>
        <Action
          needs="operator"
          name="Retry"
          kind="primary"
          why={whyNoRetry(job, node)}
          question={`Begin the ${job.kind} of ${name} anew?`}
          path={`/v1/jobs/${job.id}/retry`}
          about={job.id}
          onDone={(answer) => router.go(`/jobs/${(answer as { jobId: string }).jobId}`)}
        >
          It becomes another job. A hold on {name} and the quarantine of the build are lifted for it.
        </Action>
      </PageHead>
      <Panel title="What it is" aside={<Chip tone={JOB_TONE[job.status]}>{standing(job)}</Chip>}>
        <div class="stack">
          {isAtWork(job) ? (
            <div
              class="progress"
              role="progressbar"
              aria-label="Progress"
              aria-valuemin={0}
              aria-valuemax={100}
              aria-valuenow={job.percent}
            >
              <span style={{ width: `${job.percent}%` }} />
            </div>
          ) : null}
          {job.reason === null ? null : <p class="name">{job.reason.message}</p>}
          <Facts
            of={[
              ["Node", node === undefined ? name : <Link to={`/nodes/${job.nodeId}`}>{name}</Link>],
              ...(way === "" ? [] : [["Build", way] as const]),
              [
                "Asked for by",
                job.rolloutId === null ? (
                  CAUSES[job.cause]
                ) : (
                  <Link to={`/rollouts/${job.rolloutId}`}>rollout {job.rolloutId}</Link>
                ),
              ],
              ["Created", <Time key="created" at={job.createdAt} />],
              ...(job.startedAt === null
                ? []
                : [
                    [
                      "Took",
                      job.endedAt === null ? (
                        <Since key="took" at={job.startedAt} />
                      ) : (
                        shortDuration(job.endedAt - job.startedAt)
                      ),
                    ] as const,
                  ]),
              ...(job.bytesPerSecond === null || !isAtWork(job)
                ? []
                : [["Download", `${Math.round(job.bytesPerSecond / 1024)} KiB/s`] as const]),
              ...(job.retryOf === null
                ? []
                : [
                    [
                      "Does over",
                      <Link key="over" to={`/jobs/${job.retryOf}`}>
                        {job.retryOf}
                      </Link>,
                    ] as const,
                  ]),
              ["Id", <code key="id">{job.id}</code>],
            ]}
          />
        </div>
      </Panel>
      <JobLogPanel job={job} ended={ended} />
    </>
  );
}

const KIND_NAMES: Readonly<Record<Job["kind"], string>> = {
  update: "Update",
  rollback: "Rollback",
  diagnose: "Diagnosis",
};

const CAUSES: Readonly<Record<Job["cause"], string>> = {
  rollout: "a rollout",
  "update-now": "the node itself",
  operator: "an operator",
  "catch-up": "the coordinator: it was behind its group",
};
