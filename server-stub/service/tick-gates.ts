/** Windows and freezes as time goes by: a freeze that has run out ends, and who waits at a gate hears of its opening. */
import type { GroupName } from "../../protocol/names.ts";
import type { FleetPolicy } from "../../protocol/policy.ts";
import { standing } from "../core/window/gate.ts";
import type { GroupRecord } from "../store/records.ts";
import { attempt } from "./attempt.ts";
import { COORDINATOR } from "./audit.ts";
import type { Context } from "./context.ts";
import { thawing } from "./freeze.ts";
import { gatesAt } from "./gates.ts";
import { fleetFreeze, groupFreeze } from "./policy.ts";
import { pushJobs } from "./push.ts";

/** Pushes to whoever has a job in a group whose gate is not what it was at the last look. */
export function createGateWatch(ctx: Context): () => Promise<void> {
  const said = new Map<GroupName, string | null>();
  return async () => {
    const { value: fleet } = await ctx.store.policy();
    const groups = (await ctx.store.groups()).map(({ value }) => value);
    await liftOld(ctx, fleet, groups);
    const gate = gatesAt(fleet, ctx.wall());
    for (const group of groups) {
      const now = gate(group)?.message ?? null;
      const before = said.get(group.name);
      said.set(group.name, now);
      // At the first look all have just been told, or are about to be.
      if (before === undefined || before === now) continue;
      ctx.log.info(
        { group: group.name, gate: now },
        now === null ? "the gate is open" : "the gate is closed",
      );
      await pushJobs(ctx, group.name);
    }
    const names = new Set(groups.map(({ name }) => name));
    for (const name of said.keys()) if (!names.has(name)) said.delete(name);
  };
}

/** It has lifted itself already; here it leaves the record. */
async function liftOld(ctx: Context, fleet: FleetPolicy, groups: readonly GroupRecord[]): Promise<void> {
  const isOver = ({ freeze }: Pick<GroupRecord, "freeze">) =>
    freeze !== null && standing(freeze, ctx.wall()) === null;
  if (isOver(fleet)) {
    await attempt(ctx.store, async () => {
      const policy = await ctx.store.policy();
      const changes = isOver(policy.value) ? thawing(ctx, COORDINATOR, fleetFreeze(policy)) : [];
      return { changes, answer: null };
    });
  }
  for (const { name } of groups.filter(isOver)) {
    await attempt(ctx.store, async () => {
      const group = await ctx.store.group(name);
      const over = group !== null && isOver(group.value) ? group : null;
      return { changes: over === null ? [] : thawing(ctx, COORDINATOR, groupFreeze(over)), answer: null };
    });
  }
}
