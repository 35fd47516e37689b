import { ok, type Result } from "../../protocol/result.ts";
import type { Rollout } from "../../protocol/rollout.ts";
import { type ActionName, mayAct } from "../core/rollout/actions.ts";
import { isActiveRollout, isEnded, placeOf, type RolloutRecord } from "../core/rollout/rollout.ts";
import { showHead, showRollout } from "../core/rollout/show.ts";
import { attempt, type Decision } from "./attempt.ts";
import { actorOf } from "./audit.ts";
import type { Context } from "./context.ts";
import type { Principal, Refusal, Rollouts } from "./coordinator.ts";
import { runRollout, tellRollout } from "./engine.ts";
import { readPlan } from "./plan.ts";
import { refuse } from "./refusals.ts";
import { rollbackChanges } from "./rollback.ts";
import { startRollout } from "./start-rollout.ts";

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
  async start(by, request) {
    const started = await startRollout(ctx, by, request);
    if (!started.ok) return started;
    await runRollout(ctx, started.value.id);
    return showOne(ctx, started.value.id);
  },

  list: async () => (await ctx.store.rollouts()).map(({ value }) => showHead(value, ctx.wall())),

  get: (id) => showOne(ctx, id),

  pause: (by, id) => tell(ctx, by, id, "pause"),
  resume: (by, id) => tell(ctx, by, id, "resume"),
  cancel: (by, id) => tell(ctx, by, id, "cancel"),
  async retry(by, id) {
    const rollout = await ctx.store.rollout(id);
    const other = rollout === null ? null : await inOthers(ctx, rollout.value);
    return other ?? tell(ctx, by, id, "retry");
  },

  /** Takes the rollout back; one that is active is cancelled first. Refusals: `not-found`, `wrong-state`. */
  async rollback(by, id) {
    const found = await ctx.store.rollout(id);
    if (found === null) return noRollout(id);
    if (found.value.rolledBackBy !== null) return showOne(ctx, found.value.rolledBackBy);
    if (isActiveRollout(found.value)) await tell(ctx, by, id, "cancel");
    const begun = await attempt(ctx.store, () => decideRollback(ctx, by, id));
    if (!begun.ok) return begun;
    await runRollout(ctx, begun.value);
    return showOne(ctx, begun.value);
  },
});

async function showOne(ctx: Context, id: string): Promise<Result<Rollout, Refusal>> {
  const rollout = await ctx.store.rollout(id);
  return rollout === null ? noRollout(id) : ok(showRollout(rollout.value, ctx.wall()));
}

const noRollout = (id: string) =>
  refuse("not-found", `There is no rollout ${id}.`, { context: { rollout: id } });

/** Refusals: `not-found`, `wrong-state` with the state; saying again what is so already is no error. */
async function tell(
  ctx: Context,
  by: Principal,
  id: string,
  name: ActionName,
): Promise<Result<Rollout, Refusal>> {
  const rollout = await ctx.store.rollout(id);
  if (rollout === null) return noRollout(id);
  const may = mayAct(rollout.value, name);
  if (may === "wrong-state") return wrongState(rollout.value, PAST[name]);
  const who = actorOf(by);
  if (may === "yes") await tellRollout(ctx, id, { name, by: who.actor.replace(/^operator /, "") }, who);
  return showOne(ctx, id);
}

const PAST = { pause: "paused", resume: "resumed", cancel: "cancelled", retry: "retried" } as const;

const wrongState = ({ id, status }: RolloutRecord, what: string) =>
  refuse("wrong-state", `Rollout ${id} is ${status} and cannot be ${what}.`, { context: { state: status } });

async function decideRollback(
  ctx: Context,
  by: Principal,
  id: string,
): Promise<Decision<Result<string, Refusal>>> {
  const stored = await ctx.store.rollout(id);
  if (stored === null) return { changes: [], answer: noRollout(id) };
  if (stored.value.rolledBackBy !== null) return { changes: [], answer: ok(stored.value.rolledBackBy) };
  const { rollout, back, changes } = await rollbackChanges(ctx, stored.value, actorOf(by));
  if (back.nodes.length === 0) {
    return {
      changes: [],
      answer: refuse("wrong-state", `Rollout ${id} has moved no node: there is nothing to take back.`, {
        context: { state: stored.value.status },
      }),
    };
  }
  const busy = await activeWith(
    ctx,
    back.nodes.map((node) => node.nodeId),
    id,
  );
  if (busy !== null) return { changes: [], answer: busy };
  return {
    changes: [
      { kind: "rollout", value: rollout, expected: stored.revision, before: stored.value },
      ...changes,
    ],
    answer: ok(back.id),
  };
}

/** A rollout is not taken up again while another one has its nodes. */
async function inOthers(ctx: Context, rollout: RolloutRecord): Promise<Result<never, Refusal> | null> {
  if (isActiveRollout(rollout)) return null;
  return activeWith(
    ctx,
    rollout.nodes.map((node) => node.nodeId),
    rollout.id,
  );
}

/** Another active rollout that has one of these nodes and is not done with it. */
async function activeWith(
  ctx: Context,
  nodeIds: readonly string[],
  but: string | null,
): Promise<Result<never, Refusal> | null> {
  for (const { value } of await ctx.store.unfinishedRollouts()) {
    if (value.id === but || !isActiveRollout(value)) continue;
    const place = nodeIds
      .map((id) => placeOf(value, id))
      .find((each) => each !== undefined && !isEnded(each));
    if (place === undefined) continue;
    return refuse(
      "rollout-active",
      `Rollout ${value.id} of ${value.release} is ${value.status} and has ${place.name}. Nothing was begun.`,
      {
        hint: "Wait for it, or cancel it.",
        context: { rollout: value.id, state: value.status, node: place.name },
      },
    );
  }
  return null;
}
