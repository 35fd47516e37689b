import { useComputed } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Button } from "../../parts/button.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { Empty, Skeleton } from "../../parts/panel.tsx";
import { ProblemNote } from "../../parts/problem.tsx";
import { useNarrow } from "../../parts/use-narrow.ts";
import { VirtualList } from "../../parts/virtual-list.tsx";
import { Link } from "../../router/link.tsx";
import { useRouter } from "../../router/router.ts";
import { useStore } from "../../store/store.ts";
import { useCollection, useOfAll } from "../../store/use.ts";
import { failedNodes } from "./failed.ts";
import { NodeFilters } from "./filters.tsx";
import { NodeRow } from "./row.tsx";
import { filterNodes, type Sort, sortNodes, viewOf } from "./view.ts";
import "./nodes.css";

const ROW_PX = { wide: 48, narrow: 132 };

/** Every node of the fleet, ten thousand of them if need be. What is looked for stands in the address. */
export function NodesPage() {
  const store = useStore();
  const { query, setQuery } = useRouter();
  const nodes = useCollection(store.nodes);
  const failed = useOfAll(store.alerts, failedNodes);
  const view = useComputed(() => viewOf(query.value));
  const sorting = useComputed(() => `${view.value.down ? "-" : ""}${view.value.sort}`);
  const sorted = useComputed(() => {
    void nodes.revision.value;
    void nodes.keys.value;
    const down = sorting.value.startsWith("-");
    return sortNodes(nodes.all(), sorting.value.replace("-", "") as Sort, down);
  });
  const shown = useComputed(() => filterNodes(sorted.value, view.value, failed.value));
  const narrow = useNarrow();
  useEffect(() => {
    // A list that has become shorter begins at its first row.
    if (window.scrollY > document.documentElement.scrollHeight - window.innerHeight) window.scrollTo(0, 0);
  }, [shown.value.length]);
  const filled = nodes.filled.value;
  const all = nodes.keys.value.length;
  return (
    <>
      <PageHead title="Nodes" />
      <NodeFilters view={view.value} nodes={nodes} />
      <p class="soft small" role="status" data-count={shown.value.length}>
        {filled.kind === "ready" ? `${shown.value.length} of ${all} nodes` : "Reading the nodes"}
      </p>
      {filled.kind === "failed" ? <ProblemNote problem={filled.problem} /> : null}
      {filled.kind === "waiting" && all === 0 ? <Skeleton lines={8} /> : null}
      {filled.kind === "ready" && all === 0 ? <NoNodes /> : null}
      {all > 0 && shown.value.length === 0 ? (
        <Empty title="No node fits.">
          <Button onPress={() => setQuery(NOTHING_CHOSEN)}>Show all {String(all)}</Button>
        </Empty>
      ) : null}
      {shown.value.length === 0 ? null : (
        <table class="node-table" aria-label="Nodes" aria-rowcount={shown.value.length + 1}>
          <thead class="node-head">
            <tr class="node-row" aria-rowindex={1}>
              <Head name="Name" sort="name" now={sorting.value} />
              <Head name="Version" sort="version" now={sorting.value} />
              <Head name="Group" sort="group" now={sorting.value} />
              <th scope="col">Role</th>
              <Head name="State" sort="state" now={sorting.value} />
              <Head name="Last seen" sort="seen" now={sorting.value} />
              <th scope="col">
                <span class="hidden-text">What can be done</span>
              </th>
            </tr>
          </thead>
          <VirtualList
            count={shown.value.length}
            rowPx={narrow.value ? ROW_PX.narrow : ROW_PX.wide}
            row={(index, topPx) => {
              const id = shown.value[index]?.id ?? "";
              const node = nodes.get(id);
              return node === undefined ? null : <NodeRow key={id} node={node} index={index} topPx={topPx} />;
            }}
          />
        </table>
      )}
    </>
  );
}

const NOTHING_CHOSEN = { q: null, show: null, group: null, version: null };

function Head({ name, sort, now }: { readonly name: string; readonly sort: Sort; readonly now: string }) {
  const { setQuery } = useRouter();
  const chosen = now.replace("-", "") === sort;
  const down = chosen && now.startsWith("-");
  return (
    <th scope="col" aria-sort={chosen ? (down ? "descending" : "ascending") : "none"}>
      <button
        type="button"
        class="node-sort"
        onClick={() => setQuery({ sort: chosen && !down ? `-${sort}` : sort === "name" ? null : sort })}
      >
        {name}
        <span aria-hidden="true">{chosen ? (down ? "↓" : "↑") : ""}</span>
      </button>
    </th>
  );
}

function NoNodes() {
  return (
    <Empty title="No node has joined yet.">
      <p>
        <Link to="/join">Make a join token</Link>, and run the line that it shows on the node.
      </p>
    </Empty>
  );
}
