/** How a lease ends other than by its node: by an operator, by time (a reservation only), by removal; and restarts. */
import type { NodeId } from "../../../protocol/names.ts";
import { err, ok, type Result } from "../../../protocol/result.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import type { LeaseToken } from "../../../protocol/token.ts";
import { staleToken } from "./commit.ts";
import { type Holder, holds, type InFlight, type LeaseRecord, withoutHolder } from "./record.ts";
import type { Denied, LeasePolicy, Step } from "./view.ts";

/** Two clocks may run apart by this share of what they measure, and be read this much later. */
const DRIFT_SHARE = 0.1;
const DRIFT_MS = 1_000;

/**
 * Ends an in-flight lease by an operator's word, once the node can no longer begin to act. The node keeps counting
 * as down. A reservation is simply given back. Repeating it is fine. Refusals: `stale-token`, `wrong-state`.
 */
export function breakLease(
  lease: LeaseRecord,
  ask: { readonly token: LeaseToken; readonly reason: string },
  policy: LeasePolicy,
  now: EpochMs,
): Step<Result<Holder | null, Denied>> {
  if (lease.broken.some((broken) => broken.token === ask.token)) return { lease, outcome: ok(null) };
  const holder = lease.holders.find((each) => each.token === ask.token);
  if (holder === undefined || !holds(holder, now)) {
    return { lease, outcome: err(staleToken(ask.token, policy.retryAfterMs)) };
  }
  if (holder.phase === "reserved") return { lease: withoutHolder(lease, holder.token), outcome: ok(holder) };
  const leftMs = mayActForMs(holder, now);
  if (leftMs > 0) {
    return {
      lease,
      outcome: err({
        code: "wrong-state",
        message: `The node may still begin to act under token ${ask.token} for ${Math.ceil(leftMs / 1000)} s.`,
        hint: "Nothing was changed. Break the lease after that.",
        context: { token: ask.token, state: "in-flight", leftMs },
        retryAfterMs: leftMs,
      }),
    };
  }
  const { token, nodeId, jobId, to, instanceId } = holder;
  const broken = { token, nodeId, jobId, to, instanceId, atMs: now, reason: ask.reason };
  const next = { ...withoutHolder(lease, token), broken: [...lease.broken, broken] };
  return { lease: next, outcome: ok(holder) };
}

/** For how much longer the holder may begin to flip, on the slowest clock. Zero or less: no longer. */
export const mayActForMs = (holder: InFlight, now: EpochMs): number =>
  holder.countedFromMs + holder.actWithinMs * (1 + DRIFT_SHARE) + DRIFT_MS - now;

/** Drops reservations past their time. Never anything in flight. */
export function expire(lease: LeaseRecord, now: EpochMs): Step<readonly Holder[]> {
  const expired = lease.holders.filter((holder) => !holds(holder, now));
  if (expired.length === 0) return { lease, outcome: [] };
  return {
    lease: { ...lease, holders: lease.holders.filter((holder) => holds(holder, now)) },
    outcome: expired,
  };
}

/** A coordinator that starts renews reservations for a full time, and counts anew until a holder is overdue. */
export function resume(lease: LeaseRecord, policy: LeasePolicy, now: EpochMs): LeaseRecord {
  if (lease.holders.length === 0) return lease;
  const holders = lease.holders.map((holder) =>
    holder.phase === "reserved"
      ? { ...holder, expiresAtMs: now + policy.ttlMs }
      : { ...holder, countedFromMs: now },
  );
  return { ...lease, holders };
}

/**
 * After a restore from backup, or a failover that lost writes: reservations are dropped, and nobody knows any more
 * which process committed what is in flight or broken. The caller raises the epoch of the tokens.
 */
export function restore(lease: LeaseRecord, now: EpochMs): LeaseRecord {
  return {
    ...lease,
    holders: lease.holders.flatMap((holder) =>
      holder.phase === "reserved" ? [] : [{ ...holder, instanceId: null, countedFromMs: now }],
    ),
    broken: lease.broken.map((broken) => ({ ...broken, instanceId: null })),
  };
}

/** The node is no longer a member: what it held, or owed a word on, is gone with it. */
export function remove(lease: LeaseRecord, nodeId: NodeId): LeaseRecord {
  return {
    ...lease,
    holders: lease.holders.filter((holder) => holder.nodeId !== nodeId),
    broken: lease.broken.filter((broken) => broken.nodeId !== nodeId),
  };
}
