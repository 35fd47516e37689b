/** A rollout's policy, complete. Pure. */
import { DEFAULTS } from "../../../protocol/defaults.ts";
import type { ProblemCode } from "../../../protocol/problem.ts";
import type { Fault } from "../../../protocol/result.ts";
import { err, ok, type Result } from "../../../protocol/result.ts";
import type { RolloutPolicy, RolloutPolicyChoice, Selection } from "../../../protocol/rollout.ts";
import { fingerprint } from "../fingerprint.ts";

/**
 * What was asked for, over what the fleet's policy says, over the defaults. The seed of a selection is drawn from it,
 * so that a plan and the start that follows it have the same order. Errors: `stages-out-of-order`,
 * `threshold-out-of-range`.
 */
export function policyOf(
  selection: Selection,
  ...choices: readonly RolloutPolicyChoice[]
): Result<RolloutPolicy, Fault<ProblemCode>> {
  const merged = Object.assign({}, ...[...choices].reverse()) as RolloutPolicyChoice;
  const policy: RolloutPolicy = { ...DEFAULTS.rollout, seed: seedOf(selection), ...merged };
  const { stages, threshold } = policy;
  const rises = stages.every((share, index) => share > (stages[index - 1] ?? 0));
  if (!rises || stages.at(-1) !== 1) {
    const shown = stages.map((share) => `${share * 100} %`).join(", ");
    return err({
      code: "stages-out-of-order",
      message: `The stages ${shown} do not rise to 100 %. Nothing was changed.`,
      hint: "Stages are cumulative shares of all nodes, such as 0.1, 0.5, 1.",
    });
  }
  if (threshold === null || (threshold >= 0 && threshold <= 1)) return ok(policy);
  return err({
    code: "threshold-out-of-range",
    message: `A threshold of ${threshold} is no share of a stage's nodes. Nothing was changed.`,
    hint: "It is between 0, for the first failure, and 1; 0.3 halts when more than 30 % have failed.",
    context: { threshold },
  });
}

/** Sets that are given in another order are the same selection. */
const seedOf = (selection: Selection): number => {
  const { groups, nodes, ...rest } = selection;
  const sorted = { ...rest, groups: groups?.toSorted(), nodes: nodes?.toSorted() };
  return Number.parseInt(fingerprint(sorted).slice(0, 8), 16);
};
