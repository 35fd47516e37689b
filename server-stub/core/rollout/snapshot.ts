/** A rollout as it begins: its nodes in their order, nothing done yet. Pure. */
import type { Build } from "../../../protocol/build.ts";
import type { Role } from "../../../protocol/health.ts";
import type { GroupName, NodeId, NodeName } from "../../../protocol/names.ts";
import type { RolloutPolicy } from "../../../protocol/rollout.ts";
import { orderNodes } from "./order.ts";
import { because, notBegun } from "./reasons.ts";
import type { Place, RolloutRecord } from "./rollout.ts";
import { budgetOf, countsOf, roundsLeft, tallyOf } from "./tally.ts";

/** What is selected. `to` is known beforehand for a rollback only. */
export type Selected = {
  readonly nodeId: NodeId;
  readonly name: NodeName;
  readonly group: GroupName;
  readonly role: Role | null;
  readonly from: Build | null;
  readonly to: Build | null;
};

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

export function beginRollout({ retry, ...order }: NewRollout, selected: readonly Selected[]): RolloutRecord {
  const { nodes: ordered, stages } = orderNodes(selected, order.quorumGroups, order.policy);
  const nodes = ordered.map(({ node, stage }): Place => {
    const { nodeId, name, group, from, to } = node;
    return {
      nodeId,
      name,
      group,
      stage,
      status: "pending",
      from,
      to,
      jobId: null,
      reason: stage === 0 ? because("preparing", "It has just begun.") : notBegun(stages.length, stage),
      startedAt: null,
      endedAt: null,
      retry,
    };
  });
  const begun: Omit<RolloutRecord, "counts" | "budget" | "roundsLeft"> = {
    ...order,
    rolledBackBy: null,
    status: "pending",
    reason: because("preparing", "It has just begun."),
    stages: stages.map(({ share, nodes: added }) => ({
      share,
      nodes: added,
      status: "pending",
      reason: null,
      startedAt: null,
      endedAt: null,
    })),
    stage: 0,
    pause: null,
    changedAt: order.createdAt,
    endedAt: null,
    nodes,
  };
  const tallies = tallyOf(begun);
  const [tally] = tallies;
  if (tally === undefined) throw new Error(`rollout ${order.id} would be of no nodes`);
  const { failed, allowed } = budgetOf(tally, order.policy.threshold);
  return { ...begun, counts: countsOf(tallies), budget: { failed, allowed }, roundsLeft: roundsLeft(begun) };
}
