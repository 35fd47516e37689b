import { useSignal } from "@preact/signals";
import type { RolloutPlan } from "../../../../protocol/plan.ts";
import type { Problem } from "../../../../protocol/problem.ts";
import type { Rollout, StartRolloutRequest } from "../../../../protocol/rollout.ts";
import { Button } from "../../parts/button.tsx";
import { Panel } from "../../parts/panel.tsx";
import { ProblemNote } from "../../parts/problem.tsx";
import { useRouter } from "../../router/router.ts";
import { useStore } from "../../store/store.ts";

/**
 * Starts exactly the plan that is shown: its hash goes along, and when the world has changed meanwhile the coordinator
 * refuses and says what is otherwise.
 */
export function Go({
  plan,
  request,
  onAgain,
}: {
  readonly plan: RolloutPlan;
  readonly request: StartRolloutRequest;
  readonly onAgain: () => void;
}) {
  const { client } = useStore();
  const router = useRouter();
  const typed = useSignal("");
  const busy = useSignal(false);
  const refused = useSignal<Problem | null>(null);
  const count = String(plan.nodes.length);
  const start = async (): Promise<void> => {
    busy.value = true;
    refused.value = null;
    const body: StartRolloutRequest = { ...request, planHash: plan.hash };
    const answer = await client.send<Rollout>("POST", "/v1/rollouts", body);
    busy.value = false;
    if (answer.ok) router.go(`/rollouts/${answer.value.id}`);
    else refused.value = answer.error;
  };
  return (
    <Panel title="4. Go">
      <form
        class="go"
        onSubmit={(event) => {
          event.preventDefault();
          if (whyNotYet(plan, typed.value, busy.value) === null) void start();
        }}
      >
        <div class="field">
          <label for="go-count">
            How many nodes will be updated? Type <strong>{count}</strong>
          </label>
          <input
            id="go-count"
            class="input"
            inputMode="numeric"
            autocomplete="off"
            value={typed.value}
            onInput={(event) => {
              typed.value = event.currentTarget.value;
            }}
          />
        </div>
        <Button type="submit" kind="primary" why={whyNotYet(plan, typed.value, busy.value)}>
          Start
        </Button>
      </form>
      {refused.value === null ? null : (
        <>
          <ProblemNote problem={refused.value} />
          {refused.value.code === "plan-changed" ? (
            <p>
              <Button onPress={onAgain}>Look at the plan anew</Button>
            </p>
          ) : null}
        </>
      )}
    </Panel>
  );
}

function whyNotYet(plan: RolloutPlan, typed: string, busy: boolean): string | null {
  if (busy) return "It is being started";
  const refusing = plan.checks.find(({ outcome }) => outcome === "refused");
  if (!plan.startable) return refusing?.message ?? "Preflight refuses";
  if (typed.trim() !== String(plan.nodes.length)) return `Type ${plan.nodes.length} first`;
  return null;
}
