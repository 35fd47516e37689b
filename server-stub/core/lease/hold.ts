import type { RenewReply } from "../../../protocol/lease.ts";
import type { SessionId } from "../../../protocol/names.ts";
import { err, ok, type Result } from "../../../protocol/result.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import type { LeaseToken } from "../../../protocol/token.ts";
import { staleToken } from "./commit.ts";
import { holderOf, holds, type LeaseRecord, withHolder, withoutHolder } from "./record.ts";
import { denySession } from "./session.ts";
import type { Denied, HoldView, Step } from "./view.ts";

type Ask = { readonly session: SessionId; readonly token: LeaseToken };

/** Keeps a reservation for another full time. In flight needs no renewing. Refusals: `stale-token`, `stale-session`. */
export function renew(
  lease: LeaseRecord,
  ask: Ask,
  view: HoldView,
  now: EpochMs,
): Step<Result<RenewReply, Denied>> {
  const { asker, policy } = view;
  const own = holderOf(lease, asker.nodeId);
  if (own === undefined || own.token !== ask.token || !holds(own, now)) {
    return { lease, outcome: err(staleToken(ask.token, policy.retryAfterMs)) };
  }
  const stale = denySession(ask.session, view);
  if (stale !== null) return { lease, outcome: err(stale) };
  const outcome = ok({ ttlMs: policy.ttlMs });
  if (own.phase === "in-flight") return { lease, outcome };
  return { lease: withHolder(lease, { ...own, expiresAtMs: now + policy.ttlMs }), outcome };
}

/**
 * Gives a reservation back. Who does not hold it changes nothing, and is not told off. In flight is never given
 * back this way: only a proof returns it. Refusals: `stale-session`, `wrong-state`.
 */
export function cancel(lease: LeaseRecord, ask: Ask, view: HoldView): Step<Result<boolean, Denied>> {
  const { asker, policy } = view;
  const own = holderOf(lease, asker.nodeId);
  if (own === undefined || own.token !== ask.token) return { lease, outcome: ok(false) };
  const stale = denySession(ask.session, view);
  if (stale !== null) return { lease, outcome: err(stale) };
  if (own.phase === "reserved") return { lease: withoutHolder(lease, own.token), outcome: ok(true) };
  return {
    lease,
    outcome: err({
      code: "wrong-state",
      message: `Token ${own.token} is in flight, which only a proof ends.`,
      hint: "Say `not-acted` for it in a heartbeat if nothing was flipped.",
      context: { token: own.token, state: "in-flight" },
      retryAfterMs: policy.retryAfterMs,
    }),
  };
}
