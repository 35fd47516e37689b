/** Whether everybody is there and well. Pure. */
import type { Check } from "../../../../protocol/plan.ts";
import type { Draft } from "../draft.ts";
import type { PlanNode } from "../world.ts";
import { each, isOrAre, type Look, names, passed, refused, seconds, warned } from "./check.ts";

/** A heartbeat may be lost; two in a row may not. */
const within = ({ world }: Draft): number => 2 * world.heartbeatMs;

/** In quorum groups everybody, unless named; independent nodes follow the policy for those that are offline. */
export const everybodyOnline: Look = (draft) => {
  const { quorum, alone, request, allowed: mayBeIll } = draft;
  const allowedMs = within(draft);
  const isAway = (node: PlanNode): boolean =>
    node.presence !== "online" || node.heardAgoMs === null || node.heardAgoMs > allowedMs;
  const members = quorum.flatMap((unit) => unit.members);
  const away = members.filter(isAway);
  const allowed = away.filter(({ id }) => mayBeIll.has(id));
  const single = alone.filter(isAway);
  const warnings = [
    ...allowed.map((node) => mayBe("online", "node-offline", node, whyAway(node, allowedMs))),
    ...(single.length === 0 ? [] : [awayAlone(single, request.policy.offline)]),
  ];
  const bad = away.filter(({ id }) => !mayBeIll.has(id));
  if (bad.length === 0 && warnings.length > 0) return warnings;
  const nodes = members.length + alone.length;
  const fine = () =>
    passed("online", {
      message: `${nodes === 1 ? "The node was" : `All ${nodes} nodes were`} heard within ${seconds(allowedMs)}.`,
      numbers: { nodes, online: nodes, withinMs: allowedMs },
    });
  return [...each(bad, (node) => sayAway(node, allowedMs), fine), ...warnings];
};

function sayAway(node: PlanNode, allowedMs: number): Check {
  const { id, name, group, heardAgoMs } = node;
  return refused("online", "node-offline", {
    message: `${name} of ${group} ${whyAway(node, allowedMs)}.`,
    group,
    nodeId: id,
    numbers: { ...(heardAgoMs === null ? {} : { heardAgoMs }), withinMs: allowedMs },
    override: "allow-unhealthy",
  });
}

const whyAway = ({ presence, heardAgoMs }: PlanNode, allowedMs: number): string => {
  if (presence === "unknown") return "has not been heard since the coordinator started";
  if (presence === "offline")
    return heardAgoMs === null ? "is offline" : `is offline, last heard ${seconds(heardAgoMs)} ago`;
  return heardAgoMs === null
    ? "has just connected, and sent no heartbeat yet"
    : `was last heard ${seconds(heardAgoMs)} ago, more than ${seconds(allowedMs)}`;
};

const awayAlone = (single: readonly PlanNode[], offline: "halt" | "skip"): Check =>
  warned("online", "node-offline", {
    message: `${names(single)} ${isOrAre(single)} away: ${
      offline === "skip"
        ? "whoever stays away is left out."
        : "the rollout halts if only such nodes are left and they stay away."
    }`,
    numbers: { nodes: single.length },
    ...(offline === "halt" ? { override: "offline-skip" as const } : {}),
  });

/** Of those that are there. An independent node that is ill is updated like any other: it may be mended by it. */
export const everybodyHealthy: Look = ({ quorum, alone, allowed: mayBeIll }) => {
  const members = quorum.flatMap((unit) => unit.members);
  const ill = members.filter((node) => illness(node) !== null);
  const allowed = ill.filter(({ id }) => mayBeIll.has(id));
  const single = alone.filter((node) => illness(node) !== null);
  const warnings = [
    ...allowed.map((node) => mayBe("healthy", "node-unhealthy", node, illness(node) ?? "")),
    ...(single.length === 0 ? [] : [illAlone(single)]),
  ];
  const bad = ill.filter(({ id }) => !mayBeIll.has(id));
  if (bad.length === 0 && warnings.length > 0) return warnings;
  const nodes = members.length + alone.length;
  const fine = () =>
    passed("healthy", {
      message: `${nodes === 1 ? "The node is" : "All who are there are"} healthy and caught up.`,
      numbers: { nodes, unhealthy: 0 },
    });
  return [...each(bad, sayIll, fine), ...warnings];
};

function illness({ health, presence }: PlanNode): string | null {
  if (health === null || presence !== "online") return null;
  const detail = health.detail === undefined ? "" : ` (${health.detail})`;
  if (!health.healthy) return `is unhealthy${detail}`;
  return health.caughtUp === false ? `is not caught up${detail}` : null;
}

const sayIll = (node: PlanNode): Check =>
  refused("healthy", "node-unhealthy", {
    message: `${node.name} of ${node.group} ${illness(node)}.`,
    group: node.group,
    nodeId: node.id,
    numbers: { unhealthy: 1 },
    override: "allow-unhealthy",
  });

const illAlone = (single: readonly PlanNode[]): Check =>
  warned("healthy", "node-unhealthy", {
    message: `${names(single)} ${isOrAre(single)} not well, and updated like the others.`,
    numbers: { unhealthy: single.length },
  });

const mayBe = (check: "online" | "healthy", code: string, node: PlanNode, why: string): Check =>
  warned(check, code, {
    message: `${node.name} of ${node.group} ${why}; it was named, so that is allowed.`,
    group: node.group,
    nodeId: node.id,
    numbers: node.heardAgoMs === null ? {} : { heardAgoMs: node.heardAgoMs },
  });
