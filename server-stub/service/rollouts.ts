import { ok, type Result } from "../../protocol/result.ts";
import type { Rollout } from "../../protocol/rollout.ts";
import type { ActionName } from "../core/rollout/actions.ts";
import { showHead, showRollout } from "../core/rollout/show.ts";
import type { Context } from "./context.ts";
import type { Principal, Refusal, Rollouts } from "./coordinator.ts";
import { runRollout } from "./engine.ts";
import { readPlan } from "./plan.ts";
import { noRollout } from "./refusals.ts";
import { tellRollout } from "./rollout-actions.ts";
import { type Asked, startRollout } from "./start-rollout.ts";

export const createRollouts = (ctx: Context): Rollouts => ({
  /** Refusals: see `readPlan`; what keeps it from being started is in the plan's checks. */
  async plan(request) {
    const read = await readPlan(ctx, request);
    if (!read.ok) return read;
    const { plan, memory } = read.value;
    ctx.shownPlans.remember(plan.hash, memory);
    return ok(plan);
  },

  /** Refusals: see `startRollout`. */
  start: (by, request) => startAndRun(ctx, by, request),

  list: async () => (await ctx.store.rollouts()).map(({ value }) => showHead(value, ctx.wall())),

  get: (id) => showOne(ctx, id),

  pause: (by, id) => tell(ctx, by, id, "pause"),
  resume: (by, id) => tell(ctx, by, id, "resume"),
  cancel: (by, id) => tell(ctx, by, id, "cancel"),
  retry: (by, id) => tell(ctx, by, id, "retry"),
  /** Answers the rollout that takes this one back; one that is active is cancelled with it. */
  rollback: (by, id) => tell(ctx, by, id, "rollback"),
});

/** With what else is to be written in the same go; see `startRollout`. */
export async function startAndRun(ctx: Context, ...asked: Asked): Promise<Result<Rollout, Refusal>> {
  const started = await startRollout(ctx, ...asked);
  if (!started.ok) return started;
  await runRollout(ctx, started.value.id);
  return showOne(ctx, started.value.id);
}

async function tell(
  ctx: Context,
  by: Principal,
  id: string,
  name: ActionName,
): Promise<Result<Rollout, Refusal>> {
  const told = await tellRollout(ctx, by, id, name);
  return told.ok ? showOne(ctx, told.value) : told;
}

async function showOne(ctx: Context, id: string): Promise<Result<Rollout, Refusal>> {
  const rollout = await ctx.store.rollout(id);
  return rollout === null ? noRollout(id) : ok(showRollout(rollout.value, ctx.wall()));
}
