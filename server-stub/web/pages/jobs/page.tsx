import { useComputed } from "@preact/signals";
import type { Job } from "../../../../protocol/job.ts";
import { shortDuration } from "../../parts/duration.ts";
import { Choice } from "../../parts/field.tsx";
import { State } from "../../parts/mark.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { Paged } from "../../parts/pages.tsx";
import { Empty, Panel } from "../../parts/panel.tsx";
import { Table } from "../../parts/table.tsx";
import { Since, Time } from "../../parts/time.tsx";
import { Link } from "../../router/link.tsx";
import { useRouter } from "../../router/router.ts";
import { useStore } from "../../store/store.ts";
import { useCollection } from "../../store/use.ts";
import { usePages } from "../../store/use-pages.ts";
import { JOB_TONE, jobsQuery, KINDS, STATUSES, standing, wayOf } from "./model.ts";

/** What nodes did and do, newest first. */
export function JobsPage() {
  const { query, setQuery } = useRouter();
  const asked = useComputed(() => jobsQuery(query.value)).value;
  const { nodes } = useStore();
  useCollection(nodes);
  void nodes.keys.value;
  const { pages, more } = usePages<Job>(asked === "" ? "/v1/jobs" : `/v1/jobs?${asked}`, "jobs", ["job"]);
  const node = query.value.get("node");
  const rollout = query.value.get("rollout");
  const nameOf = (id: string): string => nodes.get(id)?.value.name ?? id;
  return (
    <>
      <PageHead title="Jobs" />
      <search class="fields">
        <Choice
          label="Status"
          none="all"
          value={query.value.get("status")}
          options={STATUSES.map((each) => [each, each])}
          onChoose={(status) => setQuery({ status })}
        />
        <Choice
          label="Kind"
          none="all"
          value={query.value.get("kind")}
          options={KINDS.map((each) => [each, each])}
          onChoose={(kind) => setQuery({ kind })}
        />
        <Choice
          label="Node"
          none="all"
          value={node}
          options={nodes
            .all()
            .map(({ id, name }) => [id, name] as const)
            .sort(([, a], [, b]) => a.localeCompare(b, undefined, { numeric: true }))
            .slice(0, 1_000)}
          onChoose={(id) => setQuery({ node: id })}
        />
      </search>
      {rollout === null ? null : (
        <p class="small">
          Only of rollout <Link to={`/rollouts/${rollout}`}>{rollout}</Link>. <Link to="/jobs">All jobs</Link>
        </p>
      )}
      <Panel title="Newest first">
        <Paged
          pages={pages.value}
          more={more}
          empty={
            asked === "" ? (
              <Empty title="No node has done anything yet.">
                A job comes of a rollout, or of <em>Update now</em> on the page of the{" "}
                <Link to="/nodes">nodes</Link>.
              </Empty>
            ) : (
              <Empty title="No job fits.">
                <Link to="/jobs">All jobs</Link>
              </Empty>
            )
          }
        >
          {(jobs) => (
            <Table
              label="Jobs"
              columns={["Node", "What", "Status", "Why", "Created", "Took"]}
              rows={jobs.map((job) => ({
                key: job.id,
                cells: [
                  <Link key={job.id} to={`/jobs/${job.id}`} class="name">
                    {nameOf(job.nodeId)}
                  </Link>,
                  <>
                    {job.kind} <span class="whole">{wayOf(job)}</span>
                  </>,
                  <State key={job.id} tone={JOB_TONE[job.status]}>
                    {standing(job)}
                  </State>,
                  job.reason === null ? (
                    ""
                  ) : (
                    <span key={job.id} class="soft name">
                      {job.reason.message}
                    </span>
                  ),
                  <Time key={job.id} at={job.createdAt} />,
                  job.startedAt === null ? (
                    ""
                  ) : job.endedAt === null ? (
                    <Since key={job.id} at={job.startedAt} />
                  ) : (
                    shortDuration(job.endedAt - job.startedAt)
                  ),
                ],
              }))}
            />
          )}
        </Paged>
      </Panel>
    </>
  );
}
