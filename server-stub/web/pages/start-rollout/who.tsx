import { useRouter } from "../../router/router.ts";
import { useStore } from "../../store/store.ts";
import { useOfAll, useResource } from "../../store/use.ts";
import { listOf, type Order, toggled } from "./order.ts";
import { Text } from "./text.tsx";

const byVersion = (a: string, b: string): number => b.localeCompare(a, undefined, { numeric: true });

/** The release, and which nodes: those that fit everything that is chosen. */
export function Who({ order }: { readonly order: Order }) {
  const store = useStore();
  const { query, setQuery } = useRouter();
  const releases = useOfAll(store.releases, (all) => all.map(({ version }) => version).sort(byVersion)).value;
  const groups = useOfAll(store.groups, (all) => [...all].sort((a, b) => a.name.localeCompare(b.name))).value;
  const channels = useResource<{ channels: readonly { name: string; release: string | null }[] }>(
    "/v1/channels",
    ["channel"],
  ).value;
  const chosen = listOf(query.value.get("groups"));
  const release = query.value.get("release") ?? "";
  const channel = query.value.get("channel") ?? "";
  const nodes = listOf(query.value.get("nodes"));
  return (
    <div class="start-fields">
      <div class="field">
        <label for="start-release">Release</label>
        <select
          id="start-release"
          class="input"
          value={release}
          onChange={(event) => setQuery({ release: event.currentTarget.value })}
        >
          <option value="">{channel === "" ? "the newest" : `where ${channel} is`}</option>
          {withChosen(releases, release).map((version) => (
            <option key={version} value={version}>
              {version}
            </option>
          ))}
        </select>
      </div>
      <div class="field">
        <label for="start-channel">Groups that follow the channel</label>
        <select
          id="start-channel"
          class="input"
          value={channel}
          onChange={(event) => setQuery({ channel: event.currentTarget.value })}
        >
          <option value="">any, or none</option>
          {withChosen(
            channels.kind === "ready" ? channels.value.channels.map(({ name }) => name) : [],
            channel,
          ).map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </div>
      <Text
        id="start-labels"
        name="Labels"
        field="labels"
        placeholder="rack=a1, owner=web"
        wrong={order.wrong.labels}
      />
      <Text
        id="start-nodes"
        name="Single nodes"
        field="nodes"
        placeholder="names or ids; or tick them below"
      />
      <fieldset class="start-groups">
        <legend>Groups</legend>
        <label class="tick">
          <input
            type="checkbox"
            checked={query.value.get("all") === "1"}
            onChange={(event) => setQuery({ all: event.currentTarget.checked ? "1" : null })}
          />
          Every node of the fleet
        </label>
        {groups.map(({ name, nodes: count, mode }) => (
          <label key={name} class="tick">
            <input
              type="checkbox"
              checked={chosen.includes(name)}
              onChange={() => setQuery({ groups: toggled(chosen, name) })}
            />
            <span class="name">{name}</span>{" "}
            <span class="soft small">
              {count === 1 ? "1 node" : `${count} nodes`}, {mode}
            </span>
          </label>
        ))}
      </fieldset>
      {nodes.length > 0 && (chosen.length > 0 || query.value.get("all") === "1") ? (
        <p class="soft small start-wide">Only nodes that fit everything that is chosen here take part.</p>
      ) : null}
    </div>
  );
}

/** What is chosen stays in the list, even when it is not there any more. */
const withChosen = (values: readonly string[], chosen: string): readonly string[] =>
  chosen === "" || values.includes(chosen) ? values : [chosen, ...values];
