/** What is ordered: the options of a start, as a request, and the plan of it. */
import type { Command } from "commander";
import { RolloutPlan } from "../../../protocol/plan.ts";
import { FaultError } from "../../../protocol/result.ts";
import type { Selection, StartRolloutRequest } from "../../../protocol/rollout.ts";
import { type ApiClient, path } from "../../api/client.ts";
import { must, several } from "../leaf.ts";
import { type PolicyOptions, policyOf, withPolicy } from "./policy-options.ts";
import { mustSelect, type SelectionOptions, withSelection } from "./selection-options.ts";

export type OrderOptions = SelectionOptions &
  PolicyOptions & {
    release?: string;
    plan?: string;
    acceptOutage?: true;
    allowUnhealthy?: string[];
    retry?: true;
  };

export const withOrder = (command: Command): Command =>
  withPolicy(withSelection(command))
    .option("--release <release>", "the release (default: the channel's, or else the newest)")
    .option("--retry", "also on nodes that are held or have quarantined the release")
    .option("--accept-outage", "also where a group is too small to lose a node")
    .option(
      "--allow-unhealthy <node>",
      "although this node is unhealthy; may be given several times",
      several,
    );

export type Order = StartRolloutRequest & { readonly selection: Selection };

export function orderOf(options: OrderOptions): Order {
  const { release, plan, acceptOutage, allowUnhealthy, retry } = options;
  const policy = policyOf(options);
  return {
    selection: mustSelect(options),
    ...(release === undefined ? {} : { release }),
    ...(Object.keys(policy).length === 0 ? {} : { policy }),
    ...(plan === undefined ? {} : { planHash: plan }),
    ...(acceptOutage === undefined ? {} : { acceptOutage }),
    ...(allowUnhealthy === undefined ? {} : { allowUnhealthy }),
    ...(retry === undefined ? {} : { retry }),
  };
}

/** What the order would do; nothing is changed. */
export const planOf = async (api: ApiClient, order: Order): Promise<RolloutPlan> =>
  must(
    await api.call({
      method: "POST",
      path: `${path("v1", "rollouts")}?dryRun=true`,
      body: order,
      answer: RolloutPlan,
    }),
  );

/** Throws `FaultError` with the code that a start would be refused with, and what stands in the way, if anything does. */
export function mustBeStartable({ startable, checks }: RolloutPlan): void {
  if (startable) return;
  const refused = checks.filter(({ outcome }) => outcome === "refused");
  const overrides = [...new Set(refused.map(({ override }) => override))].filter((each) => each !== null);
  throw new FaultError({
    code: refused.find(({ code }) => code !== null)?.code ?? "not-startable",
    message: `This cannot be started: ${refused.map(({ message }) => message).join(" ")}`,
    hint:
      overrides.length === 0
        ? "Nothing was started."
        : `Nothing was started. If it is meant all the same: ${overrides.map(optionOf).join(", ")}.`,
  });
}

export const optionOf = (override: NonNullable<RolloutPlan["checks"][number]["override"]>): string =>
  override === "allow-unhealthy"
    ? "--allow-unhealthy NODE"
    : override === "offline-skip"
      ? "--offline skip"
      : `--${override}`;
