import { NodeName, RolloutId } from "../../../protocol/names.ts";
import { RolloutPlan } from "../../../protocol/plan.ts";
import { err, type Fault, FaultError, ok, type Result } from "../../../protocol/result.ts";
import { Rollout } from "../../../protocol/rollout.ts";
import { nullable, type Static, Type } from "../../../protocol/schema.ts";
import { path } from "../../api/client.ts";
import { followRollout, isOver } from "../../commands/rollout/watch.ts";
import { planText } from "../../show/plan.ts";
import type { RolloutMoment } from "../../show/rollout/moment.ts";
import { ORDER, type Order, planOf } from "../order.ts";
import { Line, type Reporter, reporter } from "../progress.ts";
import { faultLine, rolloutLine } from "../sentences.ts";
import { type Answer, type ToolCall, tool } from "../tool.ts";

const closed = { additionalProperties: false };

const Outcome = Type.Object(
  {
    /** Of a dry run: it could be started. */
    success: Type.Boolean(),
    dryRun: Type.Boolean(),
    nodesUpdated: Type.Array(NodeName),
    nodesRolledBack: Type.Array(NodeName),
    /** Why not; null when it succeeded, or is still under way. */
    error: nullable(Type.String()),
    /** What happened, in order; the newest lines of very many. */
    progress: Type.Array(Line),
    rolloutId: nullable(RolloutId),
    status: nullable(Type.String()),
    planHash: nullable(Type.String()),
    /** Of a dry run: what would be done. */
    plan: nullable(RolloutPlan),
  },
  closed,
);
type Outcome = Static<typeof Outcome>;

const NOTHING: Outcome = {
  success: false,
  dryRun: false,
  nodesUpdated: [],
  nodesRolledBack: [],
  error: null,
  progress: [],
  rolloutId: null,
  status: null,
  planHash: null,
  plan: null,
};

/** Brings nodes to a release, one after the other, and tells how it goes until it is over. */
export const initiateRollingUpdate = tool({
  name: "initiate_rolling_update",
  title: "Update nodes one after the other",
  description:
    "Brings nodes to a release by a rollout: group by group in stages, one node of a group at a time, never costing a group its quorum, the leader last, with automatic rollback of a node that does not come back well. Call it first as it is: dryRun defaults to true, changes nothing, and gives the plan and its hash. Show the plan to the person who decides. A real start needs dryRun false and that planHash, and is refused if anything about the plan has changed. It then reports progress until the rollout is over; cancelling the call only stops the waiting, never the rollout (cancel_rollout does). Restarts services on the nodes. Needs an operator's token.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  input: Type.Object(
    {
      ...ORDER,
      dryRun: Type.Optional(
        Type.Boolean({ default: true, description: "Only plan. False starts it, and needs planHash" }),
      ),
      planHash: Type.Optional(
        Type.String({
          pattern: "^[0-9a-f]{64}$",
          description: "The hash of the plan that a dry run of the same order has shown",
        }),
      ),
      wait: Type.Optional(
        Type.Boolean({
          default: true,
          description: "Wait until it is over; false answers once it has begun",
        }),
      ),
    },
    closed,
  ),
  output: Outcome,
  failed: (fault) => ({ ...NOTHING, error: faultLine(fault) }),
  run: async ({ dryRun = true, planHash, wait = true, ...order }, call) => {
    if (dryRun) return showPlan(order, call);
    if (planHash === undefined) return err(NO_HASH);
    return start({ ...order, planHash }, wait, call);
  },
});

const NO_HASH: Fault = {
  code: "plan-needed",
  message: "A real start needs the hash of the plan that was agreed to. Nothing was begun.",
  hint: "Call it with dryRun true first, show the plan, and give its hash as planHash.",
};

async function showPlan(order: Order, { api, world }: ToolCall): Promise<Result<Answer<Outcome>, Fault>> {
  const planned = await planOf(api, order);
  if (!planned.ok) return planned;
  const { value: plan } = planned;
  const refused = plan.checks.filter(({ outcome }) => outcome === "refused").map(({ message }) => message);
  const value: Outcome = {
    ...NOTHING,
    success: plan.startable,
    dryRun: true,
    error: refused.length === 0 ? null : refused.join(" "),
    planHash: plan.hash,
    plan,
  };
  return ok({ value, text: `${planText(world.colors, plan, 100)}\n\nA dry run: nothing was changed.` });
}

async function start(
  body: Order & { readonly planHash: string },
  wait: boolean,
  call: ToolCall,
): Promise<Result<Answer<Outcome>, Fault>> {
  const { api, world } = call;
  const started = await api.call({ method: "POST", path: path("v1", "rollouts"), body, answer: Rollout });
  if (!started.ok) return started;
  const report = reporter(call);
  report.say(
    `Rollout ${started.value.id} started: preflight passed, and the plan is the one that was shown.`,
    "preflight",
  );
  const rollout = wait ? await follow(started.value, call, report) : started.value;
  return ok({
    value: { ...outcomeOf(rollout), planHash: body.planHash, progress: report.lines() },
    text: `${rolloutLine(rollout)}${world.interrupted.aborted || isOver(rollout) ? "" : " It goes on by itself; rollout_status tells how."}`,
  });
}

/** Until it is over. Whoever cancels the call stops waiting: the rollout is answered as it was seen last. */
async function follow(begun: Rollout, { api, world }: ToolCall, report: Reporter): Promise<Rollout> {
  let seen = begun;
  const show = {
    moment(moment: RolloutMoment) {
      seen = moment.rollout;
      report.moment(moment);
    },
    away: () => report.say("The coordinator is away; waiting for it.", null),
    end: () => undefined,
  };
  try {
    return await followRollout(world, api, begun.id, show);
  } catch (error) {
    if (error instanceof FaultError && world.interrupted.aborted) return seen;
    throw error;
  }
}

function outcomeOf(rollout: Rollout): Outcome {
  const { id, status, reason, nodes } = rollout;
  const over = isOver(rollout);
  const named = (wanted: string) => nodes.filter((node) => node.status === wanted).map(({ name }) => name);
  const failed = nodes.filter((node) => node.status === "failed").length;
  const success = status === "completed" && failed === 0 && named("rolled-back").length === 0;
  const why = `The rollout is ${status}: ${reason?.message ?? "no reason was given."}`;
  return {
    ...NOTHING,
    success,
    nodesUpdated: named("succeeded"),
    nodesRolledBack: named("rolled-back"),
    error: success || !over ? null : why,
    rolloutId: id,
    status,
  };
}
