import type { CommitReply } from "../../../protocol/lease.ts";
import type { SessionId } from "../../../protocol/names.ts";
import { err, ok, type Result } from "../../../protocol/result.ts";
import type { DurationMs, EpochMs } from "../../../protocol/time.ts";
import { type LeaseToken, tokenEpoch } from "../../../protocol/token.ts";
import { denyByBudget } from "./budget.ts";
import { denyLeader, denyLeadershipHere } from "./leader.ts";
import {
  type Holder,
  holderOf,
  holds,
  type InFlight,
  isOverdue,
  type LeaseRecord,
  withHolder,
} from "./record.ts";
import { denySession } from "./session.ts";
import type { Denied, LeaseView, Step } from "./view.ts";
import { nameOf } from "./view.ts";

/**
 * Lets a node go down: everything is checked once more. From here on time returns nothing. May be called again
 * with the same token, after `actWithin` has passed and the node has resumed; it is then checked again. Refusals:
 * `stale-token`, `stale-session`, `act-within-too-long`, what `noTurn` says, what the gate says (`paused`,
 * `outside-window`; not of what is in flight already), `held-by`, `halted`, `leader-last`, `leader-unknown`,
 * `leader-here`, `quorum`.
 */
export function commit(
  lease: LeaseRecord,
  ask: { readonly session: SessionId; readonly token: LeaseToken; readonly needMs: DurationMs },
  view: LeaseView,
  now: EpochMs,
): Step<Result<CommitReply, Denied>> {
  const { asker, policy } = view;
  const own = holderOf(lease, asker.nodeId);
  if (own === undefined || own.token !== ask.token || !holds(own, now)) {
    return { lease, outcome: err(staleToken(ask.token, policy.retryAfterMs)) };
  }
  if (tokenEpoch(ask.token) < policy.epoch) {
    return { lease, outcome: err(staleToken(ask.token, policy.retryAfterMs)) };
  }
  const denied = denySession(ask.session, view) ?? denyOtherProcess(own, view);
  if (denied !== null) return { lease, outcome: err(denied) };
  const refused = denyCommit(lease, own, ask.needMs, view, now);
  if (refused !== null) return { lease: attempted(lease, own), outcome: err(refused) };
  const actWithinMs = Math.max(ask.needMs, policy.actWithinMs);
  const holder: InFlight = {
    phase: "in-flight",
    token: own.token,
    nodeId: own.nodeId,
    jobId: own.jobId,
    from: own.from,
    to: own.to,
    instanceId: own.instanceId,
    sinceMs: own.phase === "in-flight" ? own.sinceMs : now,
    countedFromMs: now,
    actWithinMs,
  };
  return { lease: withHolder(lease, holder), outcome: ok({ actWithinMs }) };
}

/** A token that its asker does not hold, or no longer. */
export const staleToken = (token: LeaseToken, retryAfterMs: DurationMs): Denied => ({
  code: "stale-token",
  message: `Token ${token} does not hold this group's lease, or no longer.`,
  hint: "Nothing was changed. Undo what was begun, say `not-acted`, and reserve again.",
  context: { token },
  retryAfterMs,
});

function denyCommit(
  lease: LeaseRecord,
  own: Holder,
  needMs: DurationMs,
  view: LeaseView,
  now: EpochMs,
): Denied | null {
  const { asker, group, policy } = view;
  if (needMs > policy.maxActWithinMs) {
    return {
      code: "act-within-too-long",
      message: `${needMs} ms to drain and flip are more than the ${policy.maxActWithinMs} ms that are allowed.`,
      hint: "Shorten the drain hook's limit.",
      context: { needMs, maxMs: policy.maxActWithinMs },
      retryAfterMs: policy.retryAfterMs,
    };
  }
  return (
    asker.noTurn ??
    (own.phase === "reserved" ? group.gate : null) ??
    denyOthers(lease, own, view, now) ??
    denyLeader(group, asker.nodeId, policy) ??
    denyByBudget(group, lease, asker.nodeId, policy) ??
    denyLeadershipHere(group, asker.nodeId, policy)
  );
}

/** Nobody else may hold the group's lease; after a restore a node may have claimed to. */
function denyOthers(lease: LeaseRecord, own: Holder, view: LeaseView, now: EpochMs): Denied | null {
  const { group, policy } = view;
  if (group.mode === "independent") return null;
  const others = lease.holders.filter((holder) => holder !== own && holds(holder, now));
  const overdue = others.find((holder) => isOverdue(holder, policy.overdueAfterMs, now));
  const other = overdue ?? others[0];
  if (other === undefined) return null;
  const name = nameOf(group, other.nodeId);
  return {
    code: overdue === undefined ? "held-by" : "halted",
    message: `${name} holds the lease as well (token ${other.token}, ${other.phase}).`,
    context: { holder: name, token: other.token, phase: other.phase },
    retryAfterMs: policy.retryAfterMs,
  };
}

function denyOtherProcess(own: Holder, { asker, policy }: LeaseView): Denied | null {
  if (own.instanceId === asker.newest?.instanceId) return null;
  return {
    code: "stale-session",
    message: `Token ${own.token} was given to another process of this node.`,
    hint: "Nothing was changed. Say `not-acted` for it, and reserve again.",
    context: { token: own.token },
    retryAfterMs: policy.retryAfterMs,
  };
}

const attempted = (lease: LeaseRecord, own: Holder): LeaseRecord =>
  own.phase === "in-flight" || own.attempted ? lease : withHolder(lease, { ...own, attempted: true });
