/** What a coordinator does with stored leases when it starts, and what a restore does to them. */
import type { EpochMs } from "../../protocol/time.ts";
import { cancelJob } from "../core/job/outcome.ts";
import { restore, resume } from "../core/lease/end.ts";
import { isActiveRollout } from "../core/rollout/rollout.ts";
import type { Change } from "../store/records.ts";
import type { Store } from "../store/store.ts";
import { attempt } from "./attempt.ts";
import { COORDINATOR } from "./audit.ts";
import type { Context } from "./context.ts";
import { brief } from "./job-changes.ts";

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
 * moments were lost, so what was ordered still holds. `incarnation`: which database it is from now on. Answers the
 * new epoch.
 */
export async function markRestored(
  store: Store,
  now: EpochMs,
  atLeast = 0,
  { keepOrders = false, incarnation }: { readonly keepOrders?: boolean; readonly incarnation?: string } = {},
): Promise<number> {
  return attempt(store, async () => {
    const meta = await store.meta();
    const tokenEpoch = Math.max(meta.value.tokenEpoch + 1, atLeast);
    const busy = await store.busyLeases();
    const which = incarnation === undefined ? {} : { incarnation };
    const changes: Change[] = [
      { kind: "meta", value: { ...meta.value, ...which, tokenEpoch }, expected: meta.revision },
      ...busy.map(
        ({ group, value, revision }): Change => ({
          kind: "lease",
          group,
          value: restore(value, now),
          expected: revision,
        }),
      ),
      ...(keepOrders ? [] : await forgetOrders(store, now)),
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

const RESTORED = "restored";

/**
 * A backup does not know what was ordered after it: to bring nodes where it wants them would take back what they have
 * been updated to since. So nothing is wanted of anybody, and rollouts wait, until an operator says so. Who follows a
 * channel follows it from now on only; jobs of single nodes end, unless in flight.
 */
async function forgetOrders(store: Store, now: EpochMs): Promise<Change[]> {
  const [groups, nodes, channels, rollouts, jobs, busy] = await Promise.all([
    store.groups(),
    store.nodes(),
    store.channels(),
    store.unfinishedRollouts(),
    store.activeJobs(),
    store.busyLeases(),
  ]);
  const inFlight = new Set(
    busy.flatMap(({ value }) =>
      value.holders.filter(({ phase }) => phase === "in-flight").map(({ nodeId }) => nodeId),
    ),
  );
  // Whatever the clock of the machine was: nobody who is there has joined late.
  const allJoined = nodes.reduce((last, { value }) => Math.max(last, value.createdAt), now);
  const reason = { code: RESTORED, message: "Paused since the coordinator was restored from a backup." };
  const ended = { code: RESTORED, message: "Ended when the coordinator was restored from a backup." };
  return [
    ...groups
      .filter(({ value }) => value.wanted !== null || value.channel !== null)
      .map(({ value, revision }): Change => {
        const followsSince = value.channel === null ? null : allJoined + 1;
        return { kind: "group", value: { ...value, wanted: null, followsSince }, expected: revision };
      }),
    ...nodes
      .filter(({ value }) => value.placed !== null)
      .map(
        ({ value, revision }): Change => ({
          kind: "node",
          value: { ...value, placed: null },
          expected: revision,
        }),
      ),
    ...channels
      .filter(({ value }) => value.startDue !== null)
      .map(
        ({ value, revision }): Change => ({
          kind: "channel",
          value: { ...value, startDue: null },
          expected: revision,
        }),
      ),
    ...rollouts
      .filter(({ value }) => isActiveRollout(value))
      .map(({ value, revision }): Change => {
        // Nobody keeps a turn that could be used before the engine has looked.
        const places = value.nodes.map((place) =>
          place.status === "updating" && !inFlight.has(place.nodeId)
            ? { ...place, status: "preparing" as const, reason }
            : place,
        );
        return {
          kind: "rollout",
          value: { ...value, status: "paused", reason, nodes: places },
          expected: revision,
          before: value,
        };
      }),
    ...jobs
      .filter(({ value }) => value.rolloutId === null && !inFlight.has(value.nodeId))
      .flatMap(({ value, revision }): Change[] => {
        const after = cancelJob(value, ended, now);
        const said = { before: brief(value), after: brief(after) };
        const entry = { at: now, ...COORDINATOR, action: "job.cancelled", subject: value.id, ...said };
        return [
          { kind: "job", value: after, expected: revision },
          { kind: "audit", value: entry },
        ];
      }),
  ];
}
