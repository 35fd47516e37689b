import { useComputed, useSignal } from "@preact/signals";
import { PageHead } from "../../parts/page-head.tsx";
import { Empty, Panel } from "../../parts/panel.tsx";
import { Link } from "../../router/link.tsx";
import { useRouter } from "../../router/router.ts";
import { useStore } from "../../store/store.ts";
import { usePlan } from "./ask.ts";
import { Go } from "./go.tsx";
import { How } from "./how.tsx";
import { orderOf } from "./order.ts";
import { Outdated } from "./outdated.tsx";
import { PlanShown } from "./plan.tsx";
import { Who } from "./who.tsx";
import "../../parts/field.css";
import "../nodes/nodes.css";
import "./start.css";

/** What, to whom, and how; then what it would do; then, with the number of nodes typed, go. */
export function StartRolloutPage() {
  const { session } = useStore();
  const { query } = useRouter();
  const order = useComputed(() => orderOf(query.value)).value;
  const again = useSignal(0);
  const plan = usePlan(order.request, again.value);
  if (!session.may("operator"))
    return (
      <>
        <PageHead title="Start a rollout" />
        <Empty title="You may look, and not start anything.">
          <p>
            Ask an operator, or see what is <Link to="/rollouts">under way</Link>.
          </p>
        </Empty>
      </>
    );
  const lookAgain = (): void => {
    again.value += 1;
  };
  return (
    <>
      <PageHead title="Start a rollout" />
      <div class="start-columns">
        <div class="start-column">
          <Panel title="1. What, and where">
            <Who order={order} />
          </Panel>
          <Panel title="2. How">
            <How order={order} />
          </Panel>
          <Outdated order={order} />
        </div>
        <div class="start-column">
          <Panel title="3. What would happen">
            <PlanShown plan={plan} order={order} onAgain={lookAgain} />
          </Panel>
          {order.request === null || plan.value.kind !== "ready" ? null : (
            <Go
              key={plan.value.value.hash}
              plan={plan.value.value}
              request={order.request}
              onAgain={lookAgain}
            />
          )}
        </div>
      </div>
    </>
  );
}
