import type { ReadonlySignal } from "@preact/signals";
import type { RolloutNode, RolloutSummary } from "../../../../protocol/rollout.ts";
import { Button } from "../../parts/button.tsx";
import { State } from "../../parts/mark.tsx";
import { Empty } from "../../parts/panel.tsx";
import { useNarrow } from "../../parts/use-narrow.ts";
import { VirtualList } from "../../parts/virtual-list.tsx";
import { Link } from "../../router/link.tsx";
import { useRouter } from "../../router/router.ts";
import { useStore } from "../../store/store.ts";
import { useCollection, useOfAll } from "../../store/use.ts";
import type { LiveRollout } from "./live.ts";
import { progressOf } from "./square.tsx";
import { COUNTED, isShown, NODE_TONE } from "./words.ts";

const ROW_PX = { wide: 48, narrow: 116 };

/** Each node: from which build to which, how far, and what went wrong. */
export function RolloutTable({
  rollout,
  live,
}: {
  readonly rollout: RolloutSummary;
  readonly live: LiveRollout;
}) {
  const { query, setQuery } = useRouter();
  const narrow = useNarrow();
  useCollection(useStore().nodes);
  const asked = query.value.get("show");
  const show = COUNTED.find((each) => each.show === asked)?.show ?? null;
  const all = useOfAll(live.nodes, (nodes) => nodes).value;
  const shown = all.filter((node) => isShown(node, show));
  return (
    <>
      {show === null ? null : (
        <p class="small">
          {shown.length} of {all.length} nodes{" "}
          <Button kind="quiet" onPress={() => setQuery({ show: null })}>
            Show all
          </Button>
        </p>
      )}
      {shown.length === 0 ? (
        <Empty title="No node of it stands there." />
      ) : (
        <table class="node-table" aria-label="Nodes of the rollout" aria-rowcount={shown.length + 1}>
          <thead class="node-head">
            <tr class="node-row rollout-row" aria-rowindex={1}>
              <th scope="col">Node</th>
              <th scope="col">From → to</th>
              <th scope="col">Status</th>
              <th scope="col">Why</th>
              <th scope="col">Log</th>
            </tr>
          </thead>
          <VirtualList
            count={shown.length}
            rowPx={narrow.value ? ROW_PX.narrow : ROW_PX.wide}
            row={(index, topPx) => {
              const id = shown[index]?.nodeId ?? "";
              const place = live.nodes.get(id);
              return place === undefined ? null : (
                <Row key={id} place={place} index={index} topPx={topPx} live={live} kind={rollout.kind} />
              );
            }}
          />
        </table>
      )}
    </>
  );
}

function Row({
  place: of,
  index,
  topPx,
  live,
  kind,
}: {
  readonly place: ReadonlySignal<RolloutNode>;
  readonly index: number;
  readonly topPx: number;
  readonly live: LiveRollout;
  readonly kind: RolloutSummary["kind"];
}) {
  const { nodes } = useStore();
  const place = of.value;
  // The nodes may come later than the rollout.
  void nodes.keys.value;
  const address = nodes.get(place.nodeId)?.value.address ?? null;
  const why = place.reason?.message ?? "";
  const progress = progressOf(place, live, kind);
  return (
    <tr
      class="node-row rollout-row"
      aria-rowindex={index + 2}
      data-node={place.nodeId}
      data-status={place.status}
      style={{ transform: `translateY(${topPx}px)` }}
    >
      <td class="node-name">
        <Link to={`/nodes/${place.nodeId}`} class="name">
          {place.name}
        </Link>{" "}
        <span class="soft small">{address ?? place.group}</span>
      </td>
      <td class="rollout-builds">
        {place.from?.version ?? "?"} → {place.to?.version ?? "?"}
      </td>
      <td class="node-state" title={progress}>
        <State tone={NODE_TONE[place.status]}>{progress}</State>
      </td>
      <td class="rollout-why name soft" title={why}>
        {why}
      </td>
      <td class="rollout-log">
        {place.jobId === null ? (
          <span class="soft">none yet</span>
        ) : (
          <Link to={`/jobs/${place.jobId}`} label={`Log of ${place.name}`}>
            Log
          </Link>
        )}
      </td>
    </tr>
  );
}
