/**
 * What a rollout would do, and whether it may: one function for a dry run and for the start itself. Pure; the same
 * world and request give the same plan, in whatever order nodes and groups come.
 */
import type { PlannedNode, RolloutPlan } from "../../../protocol/plan.ts";
import { preflight } from "./checks/all.ts";
import { type Draft, draftOf } from "./draft.ts";
import { estimateOf } from "./estimate.ts";
import { hashOf, memoryOf, type PlanMemory } from "./ingredients.ts";
import type { PlanRequest, PlanWorld } from "./world.ts";

export type Planned = {
  readonly plan: RolloutPlan;
  /** What a start goes on with. */
  readonly draft: Draft;
  /** What the hash is over, to tell later how another plan differs. */
  readonly memory: PlanMemory;
};

export function planRollout(world: PlanWorld, request: PlanRequest): Planned {
  const draft = draftOf(world, request);
  const memory = memoryOf(draft);
  const checks = preflight(draft);
  const { ordered, skips } = draft;
  const plan: RolloutPlan = {
    kind: "update",
    release: request.release.version,
    hash: hashOf(memory),
    startable: checks.every(({ outcome }) => outcome !== "refused"),
    checks: [...checks],
    stages: ordered.stages.map(({ share, nodes, units }) => ({ share, nodes, groups: units })),
    nodes: ordered.nodes.map(({ node: { nodeId, name, group, role, to, node }, stage }): PlannedNode => {
      return { nodeId, name, group, stage, role, from: node.known?.build ?? null, to };
    }),
    skips: skips.map(({ node, reason }) => ({
      nodeId: node.id,
      name: node.name,
      group: node.group,
      reason,
    })),
    policy: request.policy,
    estimate: estimateOf(draft),
  };
  return { plan, draft, memory };
}
