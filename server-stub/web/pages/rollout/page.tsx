import { PageHead } from "../../parts/page-head.tsx";
import { Panel, Skeleton } from "../../parts/panel.tsx";
import { ProblemNote } from "../../parts/problem.tsx";
import { Link } from "../../router/link.tsx";
import { RolloutActions } from "./actions.tsx";
import { Counts, Facts, LeaseHolders } from "./facts.tsx";
import { Feed } from "./feed.tsx";
import { useLiveRollout } from "./live.ts";
import { Rail } from "./rail.tsx";
import { Standing } from "./standing.tsx";
import { RolloutTable } from "./table.tsx";
import { titleOf } from "./words.ts";
import "../nodes/nodes.css";
import "./rollout.css";
import "./squares.css";

/** One rollout, as it goes: what one has open during a deploy. */
export function RolloutPage({ params }: { readonly params: Readonly<Record<string, string>> }) {
  const id = params.rolloutId ?? "";
  return <OneRollout key={id} id={id} />;
}

function OneRollout({ id }: { readonly id: string }) {
  const live = useLiveRollout(id);
  const head = live.head.value;
  if (head.kind === "failed")
    return (
      <>
        <PageHead title="Rollout" />
        <ProblemNote problem={head.problem} />
        <p>
          <Link to="/rollouts">All rollouts</Link>
        </p>
      </>
    );
  if (head.kind === "waiting")
    return (
      <>
        <PageHead title="Rollout" />
        <Skeleton lines={8} />
      </>
    );
  const rollout = head.value;
  return (
    <>
      <PageHead title={titleOf(rollout)}>
        <RolloutActions rollout={rollout} nodes={live.nodes} />
      </PageHead>
      <Standing rollout={rollout} nodes={live.nodes} />
      <Counts rollout={rollout} />
      <div class="rollout-columns">
        <Panel title="Stages">
          <Rail rollout={rollout} live={live} />
        </Panel>
        <div class="rollout-column">
          <Panel title="Leases">
            <LeaseHolders nodes={live.nodes} />
          </Panel>
          <Panel title="About it">
            <Facts rollout={rollout} />
          </Panel>
        </div>
        <Panel title="Progress">
          <Feed rollout={rollout} live={live} />
        </Panel>
      </div>
      <section aria-labelledby="rollout-nodes" class="rollout-nodes">
        <h2 id="rollout-nodes">Nodes</h2>
        <RolloutTable rollout={rollout} live={live} />
      </section>
    </>
  );
}
