import type { ReserveReply } from "../../../protocol/lease.ts";
import type { SessionId } from "../../../protocol/names.ts";
import { err, ok, type Result } from "../../../protocol/result.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import { nextToken } from "../../../protocol/token.ts";
import { denyByBudget } from "./budget.ts";
import { denyLeader } from "./leader.ts";
import {
  type Holder,
  holderOf,
  holds,
  isOverdue,
  type LeaseRecord,
  type Reserved,
  withHolder,
} from "./record.ts";
import { denySession } from "./session.ts";
import type { Denied, LeaseView, Step } from "./view.ts";
import { nameOf } from "./view.ts";

/**
 * Gives a node leave to get ready. Idempotent: the same process asking again for the same job gets its token
 * again. Refusals: `stale-session`, what `noTurn` says, what the gate says (`paused`,
 * `outside-window`), `held-by`, `halted`, `leader-last`, `leader-unknown`, `quorum`.
 */
export function reserve(
  lease: LeaseRecord,
  session: SessionId,
  view: LeaseView,
  now: EpochMs,
): Step<Result<ReserveReply, Denied>> {
  const { asker, policy } = view;
  const stale = denySession(session, view);
  const newest = asker.newest;
  if (stale !== null || newest === null) return { lease, outcome: err(stale ?? noSession(view)) };
  const denied = denyReserve(lease, view, now);
  if (denied !== null) return { lease, outcome: err(denied) };
  const own = holderOf(lease, asker.nodeId);
  const again = own?.phase === "reserved" && isSameAsk(own, view) && holds(own, now) ? own : null;
  const token = again?.token ?? nextToken(lease.lastToken, policy.epoch);
  const holder: Reserved = {
    phase: "reserved",
    token,
    nodeId: asker.nodeId,
    jobId: asker.jobId,
    from: asker.from,
    to: asker.to,
    instanceId: newest.instanceId,
    sinceMs: again?.sinceMs ?? now,
    expiresAtMs: now + policy.ttlMs,
    attempted: false,
  };
  const live = { ...lease, holders: lease.holders.filter((other) => holds(other, now)) };
  return {
    lease: { ...withHolder(live, holder), lastToken: Math.max(token, lease.lastToken) },
    outcome: ok({ token, ttlMs: policy.ttlMs }),
  };
}

/** Whether a `reserve` of this node would be refused right now, and why; the session aside. */
export function denyReserve(lease: LeaseRecord, view: LeaseView, now: EpochMs): Denied | null {
  const { asker, group, policy } = view;
  return (
    asker.noTurn ??
    group.gate ??
    denyHeld(lease, view, now) ??
    denyLeader(group, asker.nodeId, policy) ??
    denyByBudget(group, lease, asker.nodeId, policy)
  );
}

/**
 * Refused while somebody else holds the lease, or this node still owes its word on an earlier one. An independent
 * node is a group of one: what another one is about does not concern it.
 */
export function denyHeld(lease: LeaseRecord, view: LeaseView, now: EpochMs): Denied | null {
  const { asker, group, policy } = view;
  const { retryAfterMs } = policy;
  const concerning = lease.holders.filter(
    (holder) => group.mode === "quorum" || holder.nodeId === asker.nodeId,
  );
  const overdue = concerning.find((holder) => isOverdue(holder, policy.overdueAfterMs, now));
  if (overdue !== undefined) {
    const name = nameOf(group, overdue.nodeId);
    return {
      code: "halted",
      message: `${name} has been in flight under token ${overdue.token} for longer than any probation takes, so nothing is granted.`,
      hint: `Bring ${name} back, or end its lease with \`baton lease break\`.`,
      context: { holder: name, token: overdue.token },
      retryAfterMs,
    };
  }
  const broken = lease.broken.find((each) => each.nodeId === asker.nodeId);
  const own = holderOf(lease, asker.nodeId);
  if (broken !== undefined || own?.phase === "in-flight") {
    const token = broken?.token ?? own?.token ?? 0;
    return {
      code: "held-by",
      message: `${nameOf(group, asker.nodeId)} has not yet said its last word on its own token ${token}.`,
      context: { holder: nameOf(group, asker.nodeId), token },
      retryAfterMs,
    };
  }
  const other = concerning.find((holder) => holder.nodeId !== asker.nodeId && holds(holder, now));
  if (other === undefined) return null;
  return {
    code: "held-by",
    message: `${nameOf(group, other.nodeId)} holds the lease (token ${other.token}, ${other.phase}).`,
    context: { holder: nameOf(group, other.nodeId), token: other.token, phase: other.phase },
    retryAfterMs,
  };
}

/** The same process, job and build, and no commit was refused in between. */
function isSameAsk(own: Holder, { asker }: LeaseView): boolean {
  return (
    own.phase === "reserved" &&
    !own.attempted &&
    own.jobId === asker.jobId &&
    own.to?.buildHash === asker.to?.buildHash &&
    own.to?.version === asker.to?.version &&
    own.instanceId === asker.newest?.instanceId
  );
}

const noSession = (view: LeaseView): Denied => ({
  code: "stale-session",
  message: "This node has no session: it must say hello first.",
  retryAfterMs: view.policy.retryAfterMs,
});
