/** What the overview counts: pure. */
import type { Node } from "../../../../protocol/node.ts";
import type { RolloutStage, RolloutSummary } from "../../../../protocol/rollout.ts";
import type { Tone } from "../../parts/mark.tsx";

/** Of those that something is installed on: whether a FleetLock client is there nobody knows. */
export type Counts = {
  readonly all: number;
  readonly online: number;
  /** A node whose build nobody knows is not among them. */
  readonly behind: number;
  readonly pending: number;
};

export function countNodes(nodes: readonly Node[]): Counts {
  const approved = nodes.filter(
    ({ membership, client }) => membership === "approved" && client === undefined,
  );
  return {
    all: approved.length,
    online: approved.filter(({ presence }) => presence === "online").length,
    behind: approved.filter(({ outdated }) => outdated).length,
    pending: nodes.filter(({ membership }) => membership === "pending").length,
  };
}

export type Share = { readonly version: string; readonly nodes: number; readonly percent: number };

/** How many nodes run which version, the newest first, and at last those of which nobody knows. */
export function versionsOf(nodes: readonly Node[]): readonly Share[] {
  const counts = new Map<string, number>();
  for (const { build, membership, client } of nodes) {
    if (membership !== "approved" || client !== undefined) continue;
    const version = build?.version ?? UNKNOWN;
    counts.set(version, (counts.get(version) ?? 0) + 1);
  }
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return [...counts]
    .sort(([a], [b]) => byVersion(a, b))
    .map(([version, count]) => ({ version, nodes: count, percent: (100 * count) / all }));
}

export const UNKNOWN = "unknown";

function byVersion(a: string, b: string): number {
  if (a === UNKNOWN || b === UNKNOWN) return a === UNKNOWN ? 1 : -1;
  return b.localeCompare(a, undefined, { numeric: true });
}

/** Those that still want something of somebody. */
export const isUnderWay = ({ status }: RolloutSummary): boolean =>
  status === "pending" || status === "running" || status === "paused" || status === "halted";

export const ROLLOUT_TONE: Readonly<Record<RolloutSummary["status"], Tone>> = {
  pending: "idle",
  running: "busy",
  paused: "warn",
  halted: "bad",
  completed: "good",
  cancelled: "idle",
  failed: "bad",
};

export const stageTone = (stage: RolloutStage, rollout: RolloutSummary): Tone => {
  if (stage.status === "done") return "good";
  if (stage.status === "pending") return "idle";
  return ROLLOUT_TONE[rollout.status];
};

/** The stage at work is paused or halted when the rollout is. */
export const stageWord = (stage: RolloutStage, { status }: RolloutSummary): string =>
  stage.status === "running" ? status : stage.status;

/** "2 of 3 failures allowed"; where the first one halts, no number is left of none. */
export const budgetOf = ({ failed, allowed }: RolloutSummary["budget"]): string =>
  allowed === 0 ? `${failed} failed, none allowed` : `${failed} of ${allowed} failures allowed`;
