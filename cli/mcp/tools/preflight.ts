import { RolloutPlan } from "../../../protocol/plan.ts";
import { ok } from "../../../protocol/result.ts";
import { Type } from "../../../protocol/schema.ts";
import { planText } from "../../show/plan.ts";
import { ORDER, planOf } from "../order.ts";
import { tool } from "../tool.ts";

/** Looks at everything before a rollout, and shows the plan. */
export const preflight = tool({
  name: "preflight",
  title: "Check a rolling update beforehand",
  description:
    "Checks whether nodes could be brought to a release now, and shows the exact plan: quorum arithmetic, health, other rollouts and leases, order and stages, who is left out and why, how long it should take, and the plan's hash. Changes nothing. Needs an operator's token.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Type.Object(ORDER, { additionalProperties: false }),
  output: RolloutPlan,
  run: async (order, { api, world }) => {
    const plan = await planOf(api, order);
    return plan.ok ? ok({ value: plan.value, text: planText(world.colors, plan.value, 100) }) : plan;
  },
});
