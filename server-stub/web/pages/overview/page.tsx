import { PageHead } from "../../parts/page-head.tsx";
import { Empty, Panel, Skeleton } from "../../parts/panel.tsx";
import { Link } from "../../router/link.tsx";
import { useStore } from "../../store/store.ts";
import { useOfAll } from "../../store/use.ts";
import { failedNodes } from "../nodes/failed.ts";
import { AlertsPanel } from "./alerts.tsx";
import { Lately } from "./lately.tsx";
import { countNodes, isUnderWay, versionsOf } from "./model.ts";
import { RolloutCard } from "./rollout-card.tsx";
import { Tile } from "./tile.tsx";
import { Versions } from "./versions.tsx";
import "./overview.css";

/** The fleet at a glance: what one leaves on the wall. */
export function OverviewPage() {
  const store = useStore();
  const counts = useOfAll(store.nodes, countNodes);
  const versions = useOfAll(store.nodes, versionsOf);
  const failed = useOfAll(store.alerts, failedNodes);
  const underWay = useOfAll(store.rollouts, (all) => all.filter(isUnderWay));
  const nodesReady = store.nodes.filled.value.kind === "ready";
  const rolloutsReady = store.rollouts.filled.value.kind === "ready";
  const { all, online, behind, pending } = counts.value;
  const halted = underWay.value.filter(({ status }) => status === "halted").length;
  return (
    <>
      <PageHead title="Overview" />
      <ul class="tiles">
        <Tile
          ready={nodesReady}
          name="online"
          value={online}
          of={all}
          tone={online === all ? "good" : "warn"}
          to={online === all ? "/nodes" : "/nodes?show=offline"}
        />
        <Tile
          ready={nodesReady}
          name={behind === 1 ? "node behind" : "nodes behind"}
          value={behind}
          tone={behind === 0 ? "good" : "warn"}
          to="/nodes?show=behind"
        />
        <Tile
          ready={store.alerts.filled.value.kind === "ready"}
          name={failed.value.size === 1 ? "failed update" : "failed updates"}
          value={failed.value.size}
          tone={failed.value.size === 0 ? "good" : "bad"}
          to="/nodes?show=failed"
        />
        <Tile
          ready={rolloutsReady}
          name={halted > 0 ? "halted" : "under way"}
          value={halted > 0 ? halted : underWay.value.length}
          tone={halted > 0 ? "bad" : underWay.value.length > 0 ? "busy" : "idle"}
          to="/rollouts"
          kind="rollouts"
        />
        {pending === 0 ? null : (
          <Tile
            ready
            name={pending === 1 ? "waits for approval" : "wait for approval"}
            value={pending}
            tone="warn"
            to="/join"
          />
        )}
      </ul>
      <div class="overview-columns">
        <div class="overview-column">
          <Panel title="Rollouts" aside={<Link to="/rollouts">All rollouts</Link>}>
            {!rolloutsReady ? (
              <Skeleton lines={4} />
            ) : underWay.value.length === 0 ? (
              <Empty title="No rollout is under way.">
                {behind === 0
                  ? "Every node runs what it should."
                  : `${behind} ${behind === 1 ? "node is" : "nodes are"} out of date.`}{" "}
                {behind > 0 && store.session.may("operator") ? (
                  <Link to="/rollouts/new?all=1">Plan a rollout</Link>
                ) : null}
              </Empty>
            ) : (
              underWay.value.map((rollout) => <RolloutCard key={rollout.id} rollout={rollout} />)
            )}
          </Panel>
          <Panel title="Versions">
            {nodesReady ? <Versions shares={versions.value} /> : <Skeleton lines={2} />}
          </Panel>
        </div>
        <div class="overview-column">
          <AlertsPanel />
          <Lately />
        </div>
      </div>
    </>
  );
}
