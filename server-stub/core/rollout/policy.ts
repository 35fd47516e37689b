/** A rollout's policy, complete. Pure. */
import { createHash } from "node:crypto";
import { DEFAULTS } from "../../../protocol/defaults.ts";
import type { ProblemCode } from "../../../protocol/problem.ts";
import type { Fault } from "../../../protocol/result.ts";
import { err, ok, type Result } from "../../../protocol/result.ts";
import type { RolloutPolicy, RolloutPolicyChoice, Selection } from "../../../protocol/rollout.ts";

/**
 * What was asked for, over what the fleet's policy says, over the defaults. The seed of a selection is drawn from it,
 * so that a plan and the start that follows it have the same order. Error: `stages-out-of-order`.
 */
export function policyOf(
  selection: Selection,
  ...choices: readonly RolloutPolicyChoice[]
): Result<RolloutPolicy, Fault<ProblemCode>> {
  const merged = Object.assign({}, ...[...choices].reverse()) as RolloutPolicyChoice;
  const policy: RolloutPolicy = { ...DEFAULTS.rollout, seed: seedOf(selection), ...merged };
  const rises = policy.stages.every((share, index) => share > (policy.stages[index - 1] ?? 0));
  if (rises && policy.stages.at(-1) === 1) return ok(policy);
  const shown = policy.stages.map((share) => `${share * 100} %`).join(", ");
  return err({
    code: "stages-out-of-order",
    message: `The stages ${shown} do not rise to 100 %. Nothing was begun.`,
    hint: "Stages are cumulative shares of all nodes, such as 0.1, 0.5, 1.",
  });
}

const seedOf = (selection: Selection): number =>
  createHash("sha256").update(JSON.stringify(selection)).digest().readUInt32BE(0);
