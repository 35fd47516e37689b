import { useRouter } from "../../router/router.ts";
import type { Order } from "./order.ts";
import { Text } from "./text.tsx";

/** The policy: what is left empty is the fleet's. */
export function How({ order: { wrong } }: { readonly order: Order }) {
  const { query, setQuery } = useRouter();
  const asks = query.value.get("pause") === "ask";
  return (
    <div class="start-fields">
      <Text
        id="start-stages"
        name="Stages, % of all nodes"
        field="stages"
        placeholder="the fleet's, such as 10, 50, 100"
        wrong={wrong.stages}
      />
      <Text
        id="start-concurrency"
        name="Groups at once"
        field="concurrency"
        placeholder="the fleet's"
        wrong={wrong.concurrency}
      />
      <Text
        id="start-threshold"
        name="Halts above, % of a stage"
        field="threshold"
        placeholder="the first in a quorum group, else 30"
        wrong={wrong.threshold}
      />
      {asks ? null : (
        <Text
          id="start-pause"
          name="Pause between stages, seconds"
          field="pause"
          placeholder="the fleet's"
          wrong={wrong.pause}
        />
      )}
      <div class="start-groups">
        <label class="tick">
          <input
            type="checkbox"
            checked={asks}
            onChange={(event) => setQuery({ pause: event.currentTarget.checked ? "ask" : null })}
          />
          Wait for a person between stages
        </label>
        <label class="tick">
          <input
            type="checkbox"
            checked={query.value.get("offline") === "skip"}
            onChange={(event) => setQuery({ offline: event.currentTarget.checked ? "skip" : null })}
          />
          Leave out who is offline, and do not halt for it
        </label>
        <label class="tick">
          <input
            type="checkbox"
            checked={query.value.get("retry") === "1"}
            onChange={(event) => setQuery({ retry: event.currentTarget.checked ? "1" : null })}
          />
          Try again where it is quarantined or on hold
        </label>
        <label class="tick">
          <input
            type="checkbox"
            checked={query.value.get("outage") === "1"}
            onChange={(event) => setQuery({ outage: event.currentTarget.checked ? "1" : null })}
          />
          Accept an outage of groups with fewer than three voters
        </label>
      </div>
    </div>
  );
}
