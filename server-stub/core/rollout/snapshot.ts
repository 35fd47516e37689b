/** A rollout as it begins: its nodes in their order, nothing done yet. Pure. */
import type { Build } from "../../../protocol/build.ts";
import type { Role } from "../../../protocol/health.ts";
import type { Reason } from "../../../protocol/job.ts";
import type { GroupName, NodeId, NodeName } from "../../../protocol/names.ts";
import type { RolloutPolicy } from "../../../protocol/rollout.ts";
import { orderNodes, roundsOf } from "./order.ts";
import { because, notBegun } from "./reasons.ts";
import type { Place, RolloutRecord } from "./rollout.ts";
import { budgetOf, countsOf, tallyOf } from "./tally.ts";

/** What is selected. `to` is null while nobody knows which platform the node is. */
export type Selected = {
  readonly nodeId: NodeId;
  readonly name: NodeName;
  readonly group: GroupName;
  readonly role: Role | null;
  /** Ill and allowed to be: it goes before the others of its group. */
  readonly first?: boolean;
  readonly from: Build | null;
  readonly to: Build | null;
};

/** Selected, and known beforehand not to take part. */
export type LeftOut = Omit<Selected, "role" | "first"> & { readonly reason: Reason };

export type NewRollout = Pick<
  RolloutRecord,
  | "id"
  | "kind"
  | "release"
  | "rollbackOf"
  | "selection"
  | "quorumGroups"
  | "acceptOutage"
  | "allowUnhealthy"
  | "planHash"
  | "perNodeMs"
  | "startedBy"
  | "createdAt"
> & { readonly policy: RolloutPolicy; readonly retry: boolean };

export function beginRollout(
  { retry, ...order }: NewRollout,
  selected: readonly Selected[],
  left: readonly LeftOut[] = [],
): RolloutRecord {
  const { nodes: ordered, stages } = orderNodes(selected, order.quorumGroups, order.policy);
  const going = ordered.map(({ node, stage }): Place => {
    const reason = stage === 0 ? JUST_BEGUN : notBegun(stages.length, stage);
    return { ...placed(node, stage, retry), reason };
  });
  const stageOf = new Map(going.map(({ group, stage }) => [group, stage]));
  const isWithOthers = (group: string): boolean => order.quorumGroups.includes(group);
  const nodes = [
    ...going,
    ...left.map(({ reason, ...node }): Place => {
      const stage = isWithOthers(node.group) ? (stageOf.get(node.group) ?? 0) : 0;
      const { createdAt: endedAt } = order;
      return { ...placed(node, stage, retry), status: "skipped", reason, endedAt, left: true };
    }),
  ];
  const sizes = stages.length === 0 ? [NOBODY] : stages;
  const rollout: Omit<RolloutRecord, "counts" | "budget"> = {
    ...order,
    rolledBackBy: null,
    status: "pending",
    reason: JUST_BEGUN,
    stages: sizes.map(({ share, nodes: added }) => ({
      share,
      nodes: added,
      status: "pending",
      reason: null,
      startedAt: null,
      endedAt: null,
    })),
    rounds: sizes.map((size) => roundsOf(size, order.policy)),
    progressAt: null,
    pause: null,
    stage: 0,
    endedAt: null,
    nodes,
  };
  const tallies = tallyOf(rollout);
  const [first] = tallies;
  const { failed, allowed } = first === undefined ? NO_BUDGET : budgetOf(first, order.policy.threshold);
  return { ...rollout, counts: countsOf(tallies), budget: { failed, allowed } };
}

const JUST_BEGUN: Reason = because("preparing", "It has just begun.");
const NO_BUDGET = { failed: 0, allowed: 0 };

/** A rollout without anybody to update has one stage, and is done with it at once. */
const NOBODY = { share: 1, nodes: 0, largest: 0 };

const placed = (node: Omit<Selected, "role" | "first">, stage: number, retry: boolean): Place => ({
  nodeId: node.nodeId,
  name: node.name,
  group: node.group,
  stage,
  status: "pending",
  from: node.from,
  to: node.to,
  jobId: null,
  reason: null,
  startedAt: null,
  endedAt: null,
  retry,
});
