import type { NodeId } from "../../../protocol/names.ts";
import type { Denied, GroupView, LeasePolicy, Member } from "./view.ts";

/**
 * Leader last among the old ones of a quorum group whose health hooks report roles. No roles reported ever, no
 * rule. A group that may have an outage anyway is not kept waiting for a leader that it cannot have. Where only some
 * report roles, as on the way to a build that begins or ends to do so, the leader may be one of the others.
 */
export function denyLeader(group: GroupView, nodeId: NodeId, policy: LeasePolicy): Denied | null {
  if (!hasRoles(group)) return null;
  const retryAfterMs = soon(policy);
  const me = group.members.find((member) => member.id === nodeId);
  const waitFor = group.members.filter(
    (member) => member.id !== nodeId && member.old && member.role !== "leader",
  );
  if (me?.role === "leader" && waitFor.length > 0) {
    const names = waitFor.map((member) => member.name).join(", ");
    return {
      code: "leader-last",
      message: `${me.name} is the leader and goes last, after ${names}.`,
      context: { before: waitFor.length },
      retryAfterMs,
    };
  }
  const outage = group.acceptOutage && group.members.filter((member) => member.voter).length <= 2;
  if (outage || group.members.some((member) => member.role === "leader")) return null;
  return denyUnknown(group, me, retryAfterMs);
}

/** Nobody says that it leads. */
function denyUnknown(group: GroupView, me: Member | undefined, retryAfterMs: number): Denied | null {
  if (!group.members.some(isSilent)) {
    return {
      code: "leader-unknown",
      message: "The nodes of this group report roles, and none of them says right now that it is the leader.",
      hint: "It goes on by itself once the group has a leader.",
      retryAfterMs,
    };
  }
  const others = group.members.filter((member) => member !== me && member.old && member.role !== null);
  if (me === undefined || !isSilent(me) || others.length === 0) return null;
  return {
    code: "leader-last",
    message: `${me.name} reports no role and may be the leader: it goes last, after ${others.map(({ name }) => name).join(", ")}.`,
    context: { before: others.length },
    retryAfterMs,
  };
}

/** It may lead, and its health hook does not say whether it does. */
const isSilent = (member: Member): boolean => member.voter && member.serving && !member.reportsRole;

/** Leadership must have left a node with a handover hook, unless there is nobody it could go to. */
export function denyLeadershipHere(group: GroupView, nodeId: NodeId, policy: LeasePolicy): Denied | null {
  const me = group.members.find((member) => member.id === nodeId);
  if (!hasRoles(group) || me?.role !== "leader" || !me.canHandOver) return null;
  if (!group.members.some((member) => couldLead(member, nodeId))) return null;
  return {
    code: "leader-here",
    message: `${me.name} still reports that it is the leader, though it has a handover hook.`,
    hint: "Commit again once its health hook reports another role.",
    retryAfterMs: soon(policy),
  };
}

/** Leadership shows in the next report of a health hook, which is sent as soon as it differs from the last. */
const soon = (policy: LeasePolicy): number => Math.min(1_000, policy.retryAfterMs);

const hasRoles = (group: GroupView): boolean =>
  group.mode === "quorum" && group.members.some((member) => member.reportsRole);

/** An observer may vote, as an arbiter does; it never leads. */
const couldLead = (member: Member, leader: NodeId): boolean =>
  member.id !== leader && member.voter && member.serving && member.role !== "observer";
