import type { NodeId } from "../../../protocol/names.ts";
import { defaultSpare, quorumOf } from "../../../protocol/quorum.ts";
import { type LeaseRecord, mayBeDown } from "./record.ts";
import type { Denied, GroupView, LeasePolicy, Member } from "./view.ts";
import { memberOf, nameOf } from "./view.ts";

export type Budget = {
  /** Configured voters, whether they serve or not. */
  readonly voters: number;
  readonly quorum: number;
  readonly spare: number;
  /** Voters that serve right now; a node in flight or with a broken lease does not, whatever it reports. */
  readonly serving: readonly Member[];
  readonly down: readonly { readonly member: Member; readonly why: string }[];
};

/** The group's arithmetic. `except` leaves one node out of who serves and who is down, never out of the voters. */
export function budgetOf(group: GroupView, lease: LeaseRecord, except?: NodeId): Budget {
  const voters = group.members.filter((member) => member.voter);
  const others = voters.filter((member) => member.id !== except);
  const down = others.flatMap((member) => {
    const why = whyDown(member, lease);
    return why === null ? [] : [{ member, why }];
  });
  return {
    voters: voters.length,
    quorum: quorumOf(voters.length),
    spare: group.spare ?? defaultSpare(voters.length),
    serving: others.filter((member) => whyDown(member, lease) === null),
    down,
  };
}

/** Whether the group can spare this node. Non-voters need the lease, not the budget; independent nodes neither. */
export function denyByBudget(
  group: GroupView,
  lease: LeaseRecord,
  nodeId: NodeId,
  policy: LeasePolicy,
): Denied | null {
  if (group.mode === "independent" || memberOf(group, nodeId)?.voter !== true) return null;
  const { voters, quorum, spare, serving, down } = budgetOf(group, lease, nodeId);
  if (voters <= 2 && group.acceptOutage) return null;
  const needed = quorum + spare;
  if (serving.length >= needed) return null;
  const names = down.map(({ member, why }) => `${member.name} ${why}`).join(", ");
  const small = voters <= 2;
  return {
    code: "quorum",
    message:
      `${voters} voters, quorum ${quorum}, spare ${spare}: beside ${nameOf(group, nodeId)} ${needed} must serve, ` +
      `and ${serving.length} do${names === "" ? "" : ` (${names})`}.`,
    hint: small
      ? "A group of one or two voters cannot lose any. Start the rollout with `--accept-outage`, or add voters."
      : "It is asked again by itself once enough of them serve.",
    context: { voters, quorum, spare, serving: serving.length, needed },
    retryAfterMs: policy.retryAfterMs,
  };
}

function whyDown(member: Member, lease: LeaseRecord): string | null {
  if (mayBeDown(lease, member.id)) return "may be down: its last word on a lease is missing";
  return member.serving ? null : (member.ailment ?? "does not serve");
}
