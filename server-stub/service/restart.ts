/** What a coordinator does with stored leases when it starts, and what a restore does to them. */
import type { EpochMs } from "../../protocol/time.ts";
import { restore, resume } from "../core/lease/end.ts";
import { isActiveRollout } from "../core/rollout/rollout.ts";
import type { Change } from "../store/records.ts";
import type { Store } from "../store/store.ts";
import { attempt } from "./attempt.ts";
import { COORDINATOR } from "./audit.ts";
import type { Context } from "./context.ts";

/** Reservations hold for another full time, since nobody could renew them; being overdue is counted anew. */
export async function resumeLeases(ctx: Context): Promise<void> {
  for (const { group } of await ctx.store.busyLeases()) {
    await attempt(ctx.store, async () => {
      const lease = await ctx.store.lease(group);
      if (lease === null) return { changes: [], answer: undefined };
      const value = resume(lease.value, ctx.leasePolicy, ctx.now());
      const change: Change = { kind: "lease", group, value, expected: lease.revision };
      return { changes: value === lease.value ? [] : [change], answer: undefined };
    });
  }
}

/**
 * Marks a store as one that may have lost writes: after a restore from backup, or a database failover. To be called
 * before a coordinator is created on it. Tokens jump to a new epoch, all reservations are dropped, and nobody knows
 * any more which process committed what. `atLeast`: an epoch known from elsewhere, such as the store that the
 * backup replaced; the same backup restored twice must not give the same epoch twice. `keepOrders`: only the last
 * moments were lost, so what was ordered still holds. Answers the new epoch.
 */
export async function markRestored(
  store: Store,
  now: EpochMs,
  atLeast = 0,
  { keepOrders = false }: { readonly keepOrders?: boolean } = {},
): Promise<number> {
  return attempt(store, async () => {
    const meta = await store.meta();
    const tokenEpoch = Math.max(meta.value.tokenEpoch + 1, atLeast);
    const busy = await store.busyLeases();
    const changes: Change[] = [
      { kind: "meta", value: { ...meta.value, tokenEpoch }, expected: meta.revision },
      ...busy.map(
        ({ group, value, revision }): Change => ({
          kind: "lease",
          group,
          value: restore(value, now),
          expected: revision,
        }),
      ),
      ...(keepOrders ? [] : await forgetOrders(store)),
      {
        kind: "audit",
        value: {
          at: now,
          ...COORDINATOR,
          action: "store.restored",
          subject: "leases",
          before: { tokenEpoch: meta.value.tokenEpoch },
          after: { tokenEpoch },
        },
      },
    ];
    return { changes, answer: tokenEpoch };
  });
}

/**
 * A backup does not know what was ordered after it: to bring nodes where it wants them would take back what they have
 * been updated to since. So nothing is wanted of anybody, and rollouts wait, until an operator says so.
 */
async function forgetOrders(store: Store): Promise<Change[]> {
  const [groups, nodes, rollouts] = await Promise.all([
    store.groups(),
    store.nodes(),
    store.unfinishedRollouts(),
  ]);
  const reason = { code: "restored", message: "Paused since the coordinator was restored from a backup." };
  return [
    ...groups
      .filter(({ value }) => value.wanted !== null)
      .map(
        ({ value, revision }): Change => ({
          kind: "group",
          value: { ...value, wanted: null },
          expected: revision,
        }),
      ),
    ...nodes
      .filter(({ value }) => value.placed !== null)
      .map(
        ({ value, revision }): Change => ({
          kind: "node",
          value: { ...value, placed: null },
          expected: revision,
        }),
      ),
    ...rollouts
      .filter(({ value }) => isActiveRollout(value))
      .map(
        ({ value, revision }): Change => ({
          kind: "rollout",
          value: { ...value, status: "paused", reason },
          expected: revision,
        }),
      ),
  ];
}
