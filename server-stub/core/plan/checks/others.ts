/** Whether another rollout or lease is in the way, or somebody is on the way down. Pure. */
import type { Check } from "../../../../protocol/plan.ts";
import type { PlanLease, PlanNode } from "../world.ts";
import { each, isOrAre, type Look, names, passed, refused, warned } from "./check.ts";

/** One active rollout per node, also where this one would only leave it out. */
export const noOtherRollout: Look = ({ selected }) =>
  each(
    selected.filter((node) => node.rollout !== null),
    ({ id, name, group, rollout }) =>
      refused("rollout", "rollout-active", {
        message: `Rollout ${rollout?.id} of ${rollout?.release} is ${rollout?.status} and has ${name}.`,
        group,
        nodeId: id,
        numbers: {},
      }),
    () =>
      passed("rollout", {
        message: "No other rollout has any of them.",
        numbers: { nodes: selected.length },
      }),
  );

/** In a quorum group whoever holds the lease is in the way; an independent node that does is waited for. */
export const noLeaseHeld: Look = ({ quorum, alone }) => {
  const inTheWay = quorum.flatMap(({ members }) => members.filter((node) => node.lease !== null));
  const waitedFor = alone.filter((node) => node.lease !== null);
  const warning =
    waitedFor.length === 0
      ? []
      : [
          warned("lease", "held-by", {
            message: `${names(waitedFor)} ${isOrAre(waitedFor)} at work under a lease, and waited for.`,
            numbers: { nodes: waitedFor.length },
          }),
        ];
  if (inTheWay.length === 0 && warning.length > 0) return warning;
  const fine = () => passed("lease", { message: "Nobody holds a lease.", numbers: { held: 0 } });
  return [...each(inTheWay, sayLease, fine), ...warning];
};

const sayLease = ({ id, name, group, lease }: PlanNode): Check =>
  refused("lease", "lease-held", {
    message: lease === null ? "" : `${name} of ${group} ${held(lease)}`,
    group,
    nodeId: id,
    numbers: lease === null ? {} : { token: lease.token },
  });

function held({ phase, token, overdue }: PlanLease): string {
  if (phase === "broken")
    return `has not said its last word on token ${token}, which was broken: it may be down.`;
  if (overdue) return `has been in flight under token ${token} for longer than any probation takes.`;
  return `holds the lease (token ${token}, ${phase}).`;
}

/** From here on a node is on its way down, or not yet back for good. */
const ON_THE_WAY: readonly PlanNode["state"][] = [
  "draining",
  "resuming",
  "swapping",
  "probation",
  "going-back",
  "exiting",
];

export const nobodyOnTheWay: Look = ({ quorum, alone }) => {
  const isOnTheWay = (node: PlanNode) => ON_THE_WAY.includes(node.state);
  const members = quorum.flatMap((unit) => unit.members);
  const single = alone.filter(isOnTheWay);
  const warning =
    single.length === 0
      ? []
      : [
          warned("draining", "update-in-progress", {
            message: `${names(single)} ${isOrAre(single)} in the middle of an update, and waited for.`,
            numbers: { nodes: single.length },
          }),
        ];
  const found = members.filter(isOnTheWay);
  if (found.length === 0 && warning.length > 0) return warning;
  const say = ({ id, name, group, state }: PlanNode): Check =>
    refused("draining", "update-in-progress", {
      message: `${name} of ${group} is in the middle of an update (${state}).`,
      group,
      nodeId: id,
      numbers: {},
    });
  const fine = () =>
    passed("draining", {
      message: "Nobody is on the way down.",
      numbers: { nodes: members.length + alone.length },
    });
  return [...each(found, say, fine), ...warning];
};
