import { Empty, Panel, Skeleton } from "../../parts/panel.tsx";
import { Time } from "../../parts/time.tsx";
import { useNarrow } from "../../parts/use-narrow.ts";
import { VirtualList } from "../../parts/virtual-list.tsx";
import { Link } from "../../router/link.tsx";
import { useRouter } from "../../router/router.ts";
import { useStore } from "../../store/store.ts";
import { useCollection, useOfAll } from "../../store/use.ts";
import { KEYS, listOf, type Order, outdatedOf, toggled } from "./order.ts";

const ROW_PX = { wide: 44, narrow: 72 };

/** Who is out of date and online, of those selected; each can be ticked, to take only these. */
export function Outdated({ order }: { readonly order: Order }) {
  const store = useStore();
  const { query, setQuery } = useRouter();
  const narrow = useNarrow();
  useCollection(store.nodes);
  const channels = useOfAll(store.groups, (all) => new Map(all.map(({ name, channel }) => [name, channel])));
  void store.nodes.revision.value;
  const ticked = listOf(query.value.get("nodes"));
  const release = query.value.get("release");
  // Who is not ticked stays in the list, or nobody could tick a second one.
  const { nodes: _ticked, ...rest } = order.selection;
  const around = Object.keys(rest).length === 0 ? { all: true as const } : rest;
  const { online, offline, selected } = outdatedOf(store.nodes.all(), around, release, channels.value);
  const ready = store.nodes.filled.value.kind === "ready";
  return (
    <Panel title="Out of date and online">
      <p class="soft small" role="status">
        {!ready
          ? "Reading the nodes"
          : `${online.length} of ${selected} ${KEYS.some((key) => query.value.has(key)) ? "that fit" : "nodes"}${offline === 0 ? "" : `; ${offline} more ${offline === 1 ? "is" : "are"} out of date and not online`}`}
      </p>
      {!ready ? <Skeleton lines={4} /> : null}
      {ready && online.length === 0 ? (
        <Empty title="Nobody here is out of date.">
          {store.releases.filled.value.kind === "ready" && store.releases.keys.value.length === 0 ? (
            <p>
              Publish a release first: <code>baton publish BUNDLE</code>.
            </p>
          ) : null}
        </Empty>
      ) : null}
      {online.length === 0 ? null : (
        <table class="node-table" aria-label="Out of date" aria-rowcount={online.length + 1}>
          <thead class="node-head">
            <tr class="node-row start-row" aria-rowindex={1}>
              <th scope="col">
                <span class="hidden-text">Only these</span>
              </th>
              <th scope="col">Node</th>
              <th scope="col">Current → target</th>
              <th scope="col">Last seen</th>
            </tr>
          </thead>
          <VirtualList
            count={online.length}
            rowPx={narrow.value ? ROW_PX.narrow : ROW_PX.wide}
            row={(index, topPx) => {
              const candidate = online[index];
              if (candidate === undefined) return null;
              const { node, target } = candidate;
              const is = ticked.find((each) => each === node.id || each === node.name);
              return (
                <tr
                  key={node.id}
                  class="node-row start-row"
                  aria-rowindex={index + 2}
                  data-node={node.id}
                  style={{ transform: `translateY(${topPx}px)` }}
                >
                  <td class="start-tick">
                    <input
                      type="checkbox"
                      aria-label={`Only ${node.name} and others that are ticked`}
                      checked={is !== undefined}
                      onChange={() => setQuery({ nodes: toggled(ticked, is ?? node.name) })}
                    />
                  </td>
                  <td class="node-name">
                    <Link to={`/nodes/${node.id}`} class="name">
                      {node.name}
                    </Link>{" "}
                    <span class="soft small name">{node.group}</span>
                  </td>
                  <td class="start-versions">
                    {node.build?.version} → {target}
                  </td>
                  <td class="soft start-seen">
                    {node.lastSeenAt === null ? "now" : <Time at={node.lastSeenAt} />}
                  </td>
                </tr>
              );
            }}
          />
        </table>
      )}
    </Panel>
  );
}
