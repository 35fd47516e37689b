import { useSignal } from "@preact/signals";
import type { RolloutSummary } from "../../../../protocol/rollout.ts";
import { Button } from "../../parts/button.tsx";
import { Mark } from "../../parts/mark.tsx";
import { Time } from "../../parts/time.tsx";
import { useOfAll } from "../../store/use.ts";
import { historyOf, newestOf } from "./history.ts";
import type { LiveRollout } from "./live.ts";

const AT_FIRST = 14;
const AT_MOST = 300;

/** What happens, as it happens, the newest first. */
export function Feed({ rollout, live }: { readonly rollout: RolloutSummary; readonly live: LiveRollout }) {
  const nodes = useOfAll(live.nodes, (all) => all);
  const history = historyOf(rollout, nodes.value);
  const whole = useSignal(false);
  const all = newestOf(history, live.steps.value, AT_MOST);
  return (
    <div class="feed" role="log" aria-label="Progress">
      <ol>
        {all.slice(0, whole.value ? AT_MOST : AT_FIRST).map(({ key, at, tone, node, text }) => (
          <li key={key} class="feed-item">
            <Mark tone={tone} />
            <p class="name">
              {node === null ? null : <strong>{node} </strong>}
              {text}
            </p>
            <span class="soft small">
              <Time at={at} />
            </span>
          </li>
        ))}
      </ol>
      {whole.value || all.length <= AT_FIRST ? null : (
        <Button
          kind="quiet"
          onPress={() => {
            whole.value = true;
          }}
        >
          Show all
        </Button>
      )}
    </div>
  );
}
