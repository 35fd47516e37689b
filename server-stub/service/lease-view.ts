import type { LeaseView } from "../../protocol/lease.ts";
import type { GroupName } from "../../protocol/names.ts";
import { ok } from "../../protocol/result.ts";
import { budgetOf } from "../core/lease/budget.ts";
import { type Holder, isOverdue, type LeaseRecord } from "../core/lease/record.ts";
import { memberOf } from "../core/lease/view.ts";
import type { GroupRecord } from "../store/records.ts";
import type { Context } from "./context.ts";
import type { Answer } from "./coordinator.ts";
import { readGroupView } from "./group-view.ts";
import { noGroup } from "./refusals.ts";

/** The group's lease as anybody may see it. */
export async function showLease(ctx: Context, name: GroupName): Answer<LeaseView> {
  const [group, lease] = await Promise.all([ctx.store.group(name), ctx.store.lease(name)]);
  if (group === null || lease === null) return noGroup(name);
  return ok(await leaseOf(ctx, group.value, lease.value));
}

export async function leaseOf(ctx: Context, group: GroupRecord, lease: LeaseRecord): Promise<LeaseView> {
  const view = await readGroupView(ctx, group, false);
  const budget = budgetOf(view, lease);
  // Measured on the steady clock, shown on the wall clock.
  const toWall = ctx.wall() - ctx.now();
  const holder = longest(lease.holders);
  return {
    group: group.name,
    holder:
      holder === undefined
        ? null
        : {
            token: holder.token,
            nodeId: holder.nodeId,
            nodeName: memberOf(view, holder.nodeId)?.name ?? null,
            jobId: holder.jobId ?? UNKNOWN_JOB,
            phase: holder.phase,
            since: Math.round(holder.sinceMs + toWall),
            overdue: isOverdue(holder, ctx.leasePolicy.overdueAfterMs, ctx.now()),
          },
    broken: lease.broken.map(({ token, nodeId, atMs, reason }) => ({
      token,
      nodeId,
      at: Math.round(atMs + toWall),
      reason,
    })),
    voters: budget.voters,
    quorum: budget.quorum,
    spare: budget.spare,
    serving: budget.serving.length,
  };
}

/** Of several independent nodes the one that is in flight for longest: if any needs a person, it does. */
const longest = (holders: readonly Holder[]): Holder | undefined =>
  [...holders].sort((a, b) => a.phase.localeCompare(b.phase) || a.sinceMs - b.sinceMs)[0];

/** A restore forgot the job of a lease that a node claims. */
const UNKNOWN_JOB = "j-000000000000";
