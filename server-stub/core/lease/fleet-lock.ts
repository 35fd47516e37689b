/**
 * The lease for members that speak FleetLock. They have no session, no job and no build, so that there is nothing to
 * prepare between reserving and committing: a lock is in flight from the beginning, and their own word returns it.
 * All else is as for agents: one at a time, the same budget, the same gate, never freed by time.
 */
import type { NodeId } from "../../../protocol/names.ts";
import { err, ok, type Result } from "../../../protocol/result.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import { type LeaseToken, nextToken } from "../../../protocol/token.ts";
import { denyByBudget } from "./budget.ts";
import { holderOf, holds, type InFlight, type LeaseRecord, withHolder } from "./record.ts";
import { denyHeld } from "./reserve.ts";
import type { Denied, GroupView, LeasePolicy, LeaseView, Step } from "./view.ts";

/**
 * Takes the lease; who has it already has it still. After a break it is refused with `held-by` until the member says
 * that it is back. Refusals: those of the gate, `held-by`, `halted`, `quorum`.
 */
export function lock(
  lease: LeaseRecord,
  nodeId: NodeId,
  group: GroupView,
  policy: LeasePolicy,
  now: EpochMs,
): Step<Result<LeaseToken, Denied>> {
  const own = holderOf(lease, nodeId);
  if (own?.phase === "in-flight") return { lease, outcome: ok(own.token) };
  const denied =
    group.gate ??
    denyHeld(lease, asked(nodeId, group, policy), now) ??
    denyByBudget(group, lease, nodeId, policy);
  if (denied !== null) return { lease, outcome: err(denied) };
  const token = nextToken(lease.lastToken, policy.epoch);
  const holder: InFlight = {
    phase: "in-flight",
    token,
    nodeId,
    jobId: null,
    from: null,
    to: null,
    instanceId: null,
    sinceMs: now,
    countedFromMs: now,
    actWithinMs: policy.actWithinMs,
  };
  const live = { ...lease, holders: lease.holders.filter((other) => holds(other, now)) };
  return {
    lease: { ...withHolder(live, holder), lastToken: Math.max(token, lease.lastToken) },
    outcome: ok(token),
  };
}

/** The member is back: its lock and whatever was broken of it are over. What it returned; nothing for who held nothing. */
export function unlock(lease: LeaseRecord, nodeId: NodeId): Step<readonly LeaseToken[]> {
  const isOwn = (each: { readonly nodeId: NodeId }): boolean => each.nodeId === nodeId;
  const returned = [...lease.holders, ...lease.broken].filter(isOwn).map(({ token }) => token);
  if (returned.length === 0) return { lease, outcome: [] };
  const holders = lease.holders.filter((each) => !isOwn(each));
  const broken = lease.broken.filter((each) => !isOwn(each));
  return { lease: { ...lease, holders, broken }, outcome: returned };
}

/** As an agent would ask, but for what only agents have. */
const asked = (nodeId: NodeId, group: GroupView, policy: LeasePolicy): LeaseView => ({
  policy,
  group,
  asker: { nodeId, jobId: "", from: null, to: null, newest: null, noTurn: null },
});
