import type { FleetPolicy } from "../../protocol/policy.ts";
import { err, ok, type Result } from "../../protocol/result.ts";
import { policyOf } from "../core/rollout/policy.ts";
import { standing } from "../core/window/gate.ts";
import { checkWindows } from "../core/window/window.ts";
import type { Change, GroupRecord, Stored } from "../store/records.ts";
import { attempt } from "./attempt.ts";
import { actorOf, audit } from "./audit.ts";
import type { Context } from "./context.ts";
import type { Policies, Refusal } from "./coordinator.ts";
import { type Freezable, freezing, thawing } from "./freeze.ts";
import { pushJobs } from "./push.ts";
import { denyStale, policyTag } from "./tags.ts";

/** The policy of the whole fleet: windows, freeze, and what a rollout takes when it is not told otherwise. */
export const createPolicies = (ctx: Context): Policies => ({
  get: () => show(ctx),

  /** Refusals: `precondition-failed`, `cron-invalid`, `timezone-unknown`, `window-never-opens`, `stages-out-of-order`. */
  async edit(by, change, ifMatch = null) {
    const done = await attempt<Result<null, Refusal>>(ctx.store, async () => {
      const { value, revision } = await ctx.store.policy();
      const stale = denyStale(ifMatch, policyTag(value));
      if (stale !== null) return { changes: [], answer: stale };
      const checked = checkWindows(change.windows ?? []);
      if (!checked.ok) return { changes: [], answer: err(checked.error) };
      const stages = policyOf({ all: true }, change.rollout ?? {});
      if (!stages.ok) return { changes: [], answer: stages };
      const after: FleetPolicy = { ...value, ...change };
      const before = configured(value);
      if (JSON.stringify(before) === JSON.stringify(configured(after)))
        return { changes: [], answer: ok(null) };
      const changes: Change[] = [
        { kind: "policy", value: after, expected: revision },
        audit(ctx, actorOf(by), "policy.edited", "fleet", before, configured(after)),
      ];
      return { changes, answer: ok(null) };
    });
    return done.ok ? changed(ctx) : done;
  },

  /** Refusal: `malformed` for a time that has passed. */
  async freeze(by, request) {
    const done = await attempt<Result<null, Refusal>>(ctx.store, async () => {
      const changes = freezing(ctx, by, fleetFreeze(await ctx.store.policy()), request);
      return changes.ok ? { changes: changes.value, answer: ok(null) } : { changes: [], answer: changes };
    });
    return done.ok ? changed(ctx) : done;
  },

  async unfreeze(by) {
    await attempt(ctx.store, async () => {
      return { changes: thawing(ctx, actorOf(by), fleetFreeze(await ctx.store.policy())), answer: null };
    });
    return changed(ctx);
  },
});

export const fleetFreeze = ({ value, revision }: Stored<FleetPolicy>): Freezable => ({
  freeze: value.freeze,
  kind: "policy",
  subject: "fleet",
  write: (freeze) => ({ kind: "policy", value: { ...value, freeze }, expected: revision }),
});

export const groupFreeze = ({ value, revision }: Stored<GroupRecord>): Freezable => ({
  freeze: value.freeze,
  kind: "group",
  subject: value.name,
  write: (freeze) => ({ kind: "group", value: { ...value, freeze }, expected: revision }),
});

/** Who waits at a gate, or was about to pass it, hears of it now. */
async function changed(ctx: Context): Promise<Result<FleetPolicy, Refusal>> {
  await pushJobs(ctx);
  return show(ctx);
}

async function show(ctx: Context): Promise<Result<FleetPolicy, Refusal>> {
  const { value } = await ctx.store.policy();
  return ok({ ...value, freeze: standing(value.freeze, ctx.wall()) });
}

const configured = ({ windows, rollout }: FleetPolicy) => ({ windows, rollout });
