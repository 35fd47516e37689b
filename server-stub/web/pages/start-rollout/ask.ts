import { type ReadonlySignal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { RolloutPlan } from "../../../../protocol/plan.ts";
import type { Problem } from "../../../../protocol/problem.ts";
import type { StartRolloutRequest } from "../../../../protocol/rollout.ts";
import { useStore } from "../../store/store.ts";

export type Plan =
  | { readonly kind: "none" }
  | { readonly kind: "waiting" }
  /** `at`: when it was made, by the coordinator's clock. */
  | { readonly kind: "ready"; readonly value: RolloutPlan; readonly at: number }
  | { readonly kind: "failed"; readonly problem: Problem };

/** Somebody still types. */
const SETTLE_MS = 350;

/**
 * What the order would do, by a dry run: anew when the order changes, and when `again` does. It is not made anew by
 * itself when the fleet changes: what a person has read stays what a person agrees to, and the coordinator says what has
 * changed.
 */
export function usePlan(request: StartRolloutRequest | null, again: number): ReadonlySignal<Plan> {
  const { client, clock, session } = useStore();
  const plan = useSignal<Plan>({ kind: "none" });
  const body = request === null || !session.may("operator") ? null : JSON.stringify(request);
  useEffect(() => {
    if (body === null) {
      plan.value = { kind: "none" };
      return undefined;
    }
    let over = false;
    plan.value = { kind: "waiting" };
    const ask = async (): Promise<void> => {
      const answer = await client.send<RolloutPlan>("POST", "/v1/rollouts?dryRun=true", JSON.parse(body));
      if (over) return;
      plan.value = answer.ok
        ? { kind: "ready", value: answer.value, at: clock.now.peek() }
        : { kind: "failed", problem: answer.error };
    };
    const timer = setTimeout(() => void ask(), SETTLE_MS);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [body, again]);
  return plan;
}
