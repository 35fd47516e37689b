/** What the rollout would wait for once it has begun. Nothing here refuses it. Pure. */
import type { Check } from "../../../../protocol/plan.ts";
import type { QuorumUnit } from "../draft.ts";
import type { PlanNode } from "../world.ts";
import { type Look, names, passed, warned } from "./check.ts";

/** Where health hooks report roles, nobody goes while nobody leads. */
export const leaderKnown: Look = ({ quorum, request }) => {
  const withRoles = quorum.filter(({ members }) => members.some((node) => node.reportsRole));
  const isOutage = ({ members }: QuorumUnit) =>
    request.acceptOutage && members.filter((node) => node.voter).length <= 2;
  const unknown = withRoles.filter((unit) => leadersOf(unit).length === 0 && !isOutage(unit));
  if (unknown.length > 0) {
    return unknown.map(({ group, members }) =>
      warned("leader", "leader-unknown", {
        message: `The nodes of ${group.name} report roles, and none says that it leads: nobody goes before one does.`,
        group: group.name,
        numbers: { members: members.length, leaders: 0 },
      }),
    );
  }
  const leaders = withRoles.flatMap(leadersOf);
  const going = withRoles.flatMap((unit) => unit.going.filter((node) => node.role === "leader"));
  const message = sayLeaders(withRoles.length, leaders, going);
  return [passed("leader", { message, numbers: { groups: withRoles.length, leaders: leaders.length } })];
};

function sayLeaders(groups: number, leaders: readonly PlanNode[], going: readonly PlanNode[]): string {
  if (groups === 0) return "No node reports a role, so nobody goes last for being the leader.";
  if (going.length > 0)
    return `${names(going)} ${going.length === 1 ? "leads and goes" : "lead and go"} last.`;
  return leaders.length === 0
    ? "The outage is accepted, so no leader is waited for."
    : `${names(leaders)} ${leaders.length === 1 ? "leads and is" : "lead and are"} not touched.`;
}

const leadersOf = ({ members }: QuorumUnit) => members.filter((node) => node.role === "leader");

/** Windows and freezes: it may be started, and waits. */
export const windowOpen: Look = ({ groups, ordered }) => {
  const touched = new Set(ordered.nodes.map(({ node }) => node.group));
  const closed = [...groups.values()].filter((group) => group.gate !== null && touched.has(group.name));
  if (closed.length === 0) {
    return [
      passed("window", {
        message: "Nothing keeps it from beginning now.",
        numbers: { groups: touched.size },
      }),
    ];
  }
  return [...Map.groupBy(closed, ({ gate }) => gate?.message ?? "")].map(([message, waiting]): Check => {
    const whole = waiting.length === touched.size;
    const sorted = [...waiting].sort((a, b) => (a.name < b.name ? -1 : 1));
    return warned("window", waiting[0]?.gate?.code ?? "outside-window", {
      message: `${whole ? "It" : names(sorted)} will wait: ${message}`,
      ...(waiting.length === 1 ? { group: waiting[0]?.name ?? "" } : {}),
      numbers: { groups: touched.size, waiting: waiting.length },
    });
  });
};
