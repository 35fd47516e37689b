import type { AuditEntry } from "../../../../protocol/audit.ts";
import type { Job } from "../../../../protocol/job.ts";
import type { Node } from "../../../../protocol/node.ts";
import { State } from "../../parts/mark.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { Empty, Panel, Skeleton } from "../../parts/panel.tsx";
import { ProblemNote } from "../../parts/problem.tsx";
import { Time } from "../../parts/time.tsx";
import { Link } from "../../router/link.tsx";
import { useStore } from "../../store/store.ts";
import { useCollection, useResource } from "../../store/use.ts";
import { stateOf } from "../nodes/model.ts";
import { STEP_WORDS } from "../rollout/history.ts";
import { NodeActions } from "./actions.tsx";
import { Builds } from "./builds.tsx";
import { NodeLease } from "./lease.tsx";
import { NodeAudit, NodeJobs } from "./lists.tsx";
import { probesOf } from "./model.ts";
import "../rollout/rollout.css";
import "./node.css";

/** One node with everything that is known of it. */
export function NodePage({ params }: { readonly params: Readonly<Record<string, string>> }) {
  const id = params.nodeId ?? "";
  const nodes = useCollection(useStore().nodes);
  void nodes.keys.value;
  const node = nodes.get(id)?.value;
  if (node !== undefined) return <OneNode key={id} node={node} />;
  const filled = nodes.filled.value;
  return (
    <>
      <PageHead title="Node" />
      {filled.kind === "waiting" ? <Skeleton lines={8} /> : null}
      {filled.kind === "failed" ? <ProblemNote problem={filled.problem} /> : null}
      {filled.kind === "ready" ? (
        <Empty title="There is no such node.">
          <p>
            It may have been removed: the{" "}
            <Link to={`/audit?subject=${encodeURIComponent(id)}`}>audit log</Link> says by whom. Here are{" "}
            <Link to="/nodes">all nodes</Link>.
          </p>
        </Empty>
      ) : null}
    </>
  );
}

function OneNode({ node }: { readonly node: Node }) {
  const { id } = node;
  const jobs = useResource<{ jobs: readonly Job[] }>(
    `/v1/jobs?node=${id}&limit=15`,
    ["job"],
    ({ value }) => value === null || (value as Job).nodeId === id,
  ).value;
  const audit = useResource<{ entries: readonly AuditEntry[] }>(
    `/v1/audit?subject=${id}&limit=15`,
    ["node", "job"],
    ({ subject, value, kind }) => subject === id || (kind === "job" && (value as Job | null)?.nodeId === id),
  ).value;
  const diagnosing =
    jobs.kind === "ready" &&
    jobs.value.jobs.some(
      ({ kind, status }) => kind === "diagnose" && (status === "queued" || status === "running"),
    );
  return (
    <>
      <PageHead title={node.name}>
        <NodeActions node={node} diagnosing={diagnosing} />
      </PageHead>
      <Now node={node} />
      <div class="node-panels">
        <Panel title="Builds">
          <Builds node={node} />
        </Panel>
        <Panel title="Health">
          <dl class="facts">
            {probesOf(node).map(({ name, tone, word, detail }) => (
              <>
                <dt key={name}>{name}</dt>
                <dd key={`${name} is`}>
                  <State tone={tone}>{word}</State>
                  {detail === undefined ? null : <p class="soft small name">{detail}</p>}
                </dd>
              </>
            ))}
          </dl>
        </Panel>
        <Panel title="Lease">
          <NodeLease node={node} />
        </Panel>
        <Panel title="About it">
          <About node={node} />
        </Panel>
        <Panel title="Jobs" aside={<Link to={`/jobs?node=${id}`}>All its jobs</Link>}>
          <NodeJobs jobs={jobs} />
        </Panel>
        <Panel title="Audit" aside={<Link to={`/audit?subject=${id}`}>All of it</Link>}>
          <NodeAudit audit={audit} />
        </Panel>
      </div>
    </>
  );
}

/** Where it stands, and how far an update of it is. */
function Now({ node }: { readonly node: Node }) {
  const { tone, word, detail } = stateOf(node);
  const { update, jobId, reason } = node;
  const why = detail ?? reason?.message ?? null;
  return (
    <section class={`standing standing-${tone}`} aria-label="Where it stands" data-state={word}>
      <p class="node-now">
        <State tone={tone}>{word}</State>
      </p>
      {why === null ? null : <p class="name">{why}</p>}
      {update === null || update.state === "idle" || update.step === null ? null : (
        <p>
          {update.build?.version ?? "The new build"}: it {STEP_WORDS[update.step]}, {update.percent} %
        </p>
      )}
      {jobId === null ? null : (
        <p>
          <Link to={`/jobs/${jobId}`}>Follow its job</Link>
        </p>
      )}
    </section>
  );
}

function About({ node }: { readonly node: Node }) {
  const labels = Object.entries(node.labels);
  return (
    <dl class="facts">
      <dt>Id</dt>
      <dd>
        <code>{node.id}</code>
      </dd>
      <dt>Address</dt>
      <dd>{node.address ?? <span class="soft">not heard yet</span>}</dd>
      <dt>Platform</dt>
      <dd>{node.platform ?? <span class="soft">not heard yet</span>}</dd>
      <dt>Vote</dt>
      <dd>{node.voter ? "it votes" : "it has no vote"}</dd>
      <dt>Last seen</dt>
      <dd>
        {node.presence === "online" ? (
          "now"
        ) : node.lastSeenAt === null ? (
          "never"
        ) : (
          <Time at={node.lastSeenAt} />
        )}
      </dd>
      <dt>Joined</dt>
      <dd>
        <Time at={node.createdAt} />
      </dd>
      <dt>Labels</dt>
      <dd>
        {labels.length === 0 ? (
          <span class="soft">
            none; <code>baton nodes edit</code> adds some
          </span>
        ) : (
          <ul class="node-labels">
            {labels.map(([name, value]) => (
              <li key={name} class="node-label name">
                {name}={value}
              </li>
            ))}
          </ul>
        )}
      </dd>
    </dl>
  );
}
