import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Node } from "../../../../protocol/node.ts";
import { Choice } from "../../parts/field.tsx";
import { useRouter } from "../../router/router.ts";
import type { Collection } from "../../store/collection.ts";
import { useOfAll } from "../../store/use.ts";
import type { Show, View } from "./view.ts";

const SHOW_NAMES: Readonly<Record<Show, string>> = {
  behind: "out of date",
  failed: "update failed",
  offline: "offline",
  pending: "wait for approval",
  busy: "at work",
  unwell: "need a look",
};

/** What is looked for. Typing does not fill the history; choosing does. */
export function NodeFilters({ view, nodes }: { readonly view: View; readonly nodes: Collection<Node> }) {
  const { setQuery } = useRouter();
  const text = useSignal(view.text);
  useEffect(() => {
    text.value = view.text;
  }, [view.text]);
  const groups = useOfAll(nodes, (all) => distinct(all, ({ group }) => group));
  const versions = useOfAll(nodes, (all) => distinct(all, ({ build }) => build?.version ?? "unknown"));
  return (
    <search>
      <form class="node-filters" onSubmit={(event) => event.preventDefault()}>
        <div class="field node-search">
          <label for="node-q">Search</label>
          <input
            id="node-q"
            class="input"
            type="search"
            placeholder="name, address, label=value …"
            value={text.value}
            onInput={(event) => {
              text.value = event.currentTarget.value;
              setQuery({ q: text.value }, { replace: true });
            }}
          />
        </div>
        <Choice
          label="Show"
          none="all"
          value={view.show}
          options={Object.entries(SHOW_NAMES)}
          onChoose={(show) => setQuery({ show })}
        />
        <Choice
          label="Group"
          none="all"
          value={view.group}
          options={named(groups.value, view.group)}
          onChoose={(group) => setQuery({ group })}
        />
        <Choice
          label="Version"
          none="all"
          value={view.version}
          options={named(versions.value, view.version)}
          onChoose={(version) => setQuery({ version })}
        />
      </form>
    </search>
  );
}

const distinct = (nodes: readonly Node[], of: (node: Node) => string): readonly string[] =>
  [...new Set(nodes.map(of))].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));

/** With what is chosen, even when no node has it any more. */
const named = (values: readonly string[], chosen: string | null): readonly (readonly [string, string])[] =>
  [...(chosen === null || values.includes(chosen) ? [] : [chosen]), ...values].map(
    (each) => [each, each] as const,
  );
