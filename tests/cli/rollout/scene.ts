/** Rollouts at chosen moments, as the coordinator would tell of them, to be drawn. */
import type { RolloutMoment } from "../../../cli/show/rollout/moment.ts";
import type { Job } from "../../../protocol/job.ts";
import type { LeaseView } from "../../../protocol/lease.ts";
import type {
  Rollout,
  RolloutCounts,
  RolloutNode,
  RolloutNodeStatus,
  RolloutStage,
} from "../../../protocol/rollout.ts";

/** 2026-07-14 15:00:00 UTC. */
export const NOW = 1_784_041_200_000;
export const S = 1000;

export const build = (version: string) => ({
  version,
  buildHash: version.replaceAll(".", "").padEnd(64, "0"),
});

const LETTERS: Readonly<Record<string, RolloutNodeStatus>> = {
  o: "pending",
  p: "preparing",
  u: "updating",
  s: "succeeded",
  f: "failed",
  r: "rolled-back",
  k: "skipped",
};

export type Scene = {
  /** A letter for each node of each stage: o p u s f r k. */
  readonly stages: readonly string[];
  readonly group: (index: number) => string;
  readonly name: (index: number) => string;
  readonly node?: (node: RolloutNode) => Partial<RolloutNode>;
  readonly rollout?: Partial<Rollout>;
  readonly overdue?: boolean;
  /** When it is looked at, after `NOW`. */
  readonly laterMs?: number;
};

const id = (prefix: string, index: number): string => `${prefix}-${String(index).padStart(12, "0")}`;

export function sceneOf(scene: Scene): RolloutMoment {
  const now = NOW + (scene.laterMs ?? 0);
  const total = scene.stages.join("").length;
  const letters = scene.stages.flatMap((stage, at) => Array.from(stage, (letter) => [at, letter] as const));
  const nodes = letters.map(([stage, letter], index): RolloutNode => {
    const status = LETTERS[letter] ?? "pending";
    const begun = status !== "pending" && status !== "skipped";
    const over = status === "succeeded" || status === "failed" || status === "rolled-back";
    const node: RolloutNode = {
      nodeId: id("n", index),
      name: scene.name(index),
      group: scene.group(index),
      stage,
      status,
      from: build("1.3.0"),
      to: build("1.4.0"),
      jobId: begun ? id("j", index) : null,
      reason: null,
      startedAt: begun ? NOW - 120 * S + index * S : null,
      endedAt: over ? NOW - 90 * S + index * S : null,
    };
    return { ...node, ...scene.node?.(node) };
  });
  let done = 0;
  const stages = scene.stages.map((text, at): RolloutStage => {
    done += text.length;
    const over = !/[opu]/.test(text);
    const begun = at === 0 || !/[opu]/.test(scene.stages[at - 1] ?? "");
    return {
      share: done / total,
      nodes: text.length,
      status: over ? "done" : begun ? "running" : "pending",
      reason: null,
      startedAt: begun ? NOW - (240 - at * 120) * S : null,
      endedAt: over ? NOW - (182 - at * 120) * S : null,
    };
  });
  const rollout: Rollout = {
    id: "r-4f2k9d0q1xzs",
    kind: "update",
    release: "1.4.0",
    rollbackOf: null,
    rolledBackBy: null,
    selection: { all: true },
    policy: {
      stages: stages.map(({ share }) => share),
      concurrency: 2,
      threshold: null,
      pauseMs: 10 * S,
      offline: "halt",
      onFailure: "halt",
      seed: 7,
    },
    status: "running",
    reason: null,
    acceptOutage: false,
    allowUnhealthy: [],
    stages,
    stage: Math.max(
      0,
      stages.findIndex(({ status }) => status !== "done"),
    ),
    counts: countsOf(nodes),
    budget: {
      failed: nodes.filter(({ status }) => status === "failed" || status === "rolled-back").length,
      allowed: 3,
    },
    estimatedEnd: NOW + 190 * S,
    planHash: null,
    startedBy: "anna",
    createdAt: NOW - 240 * S,
    endedAt: null,
    nodes,
    ...scene.rollout,
  };
  return {
    rollout,
    leases: nodes
      .filter(({ status }) => status === "updating")
      .map((node) => leaseOf(node, scene.overdue ?? false)),
    jobs: nodes.filter(({ status }) => status === "updating" || status === "preparing").map(jobOf),
    now,
  };
}

function countsOf(nodes: readonly RolloutNode[]): RolloutCounts {
  const count = (status: RolloutNodeStatus) => nodes.filter((node) => node.status === status).length;
  return {
    pending: count("pending"),
    preparing: count("preparing"),
    updating: count("updating"),
    succeeded: count("succeeded"),
    failed: count("failed"),
    rolledBack: count("rolled-back"),
    skipped: count("skipped"),
  };
}

const leaseOf = (node: RolloutNode, overdue: boolean): LeaseView => ({
  group: node.group,
  holder: {
    token: 7,
    nodeId: node.nodeId,
    nodeName: node.name,
    jobId: node.jobId ?? id("j", 0),
    phase: "in-flight",
    since: NOW - 12 * S,
    overdue,
  },
  broken: [],
  voters: 3,
  quorum: 2,
  spare: 0,
  serving: 2,
});

const jobOf = (node: RolloutNode): Job => ({
  id: node.jobId ?? id("j", 0),
  kind: "update",
  nodeId: node.nodeId,
  cause: "rollout",
  rolloutId: "r-4f2k9d0q1xzs",
  release: "1.4.0",
  from: node.from,
  to: node.to,
  retry: false,
  retryOf: null,
  status: "running",
  step: node.status === "updating" ? "drain" : "fetch",
  percent: node.status === "updating" ? 70 : 40,
  bytesPerSecond: node.status === "updating" ? null : 3_100_000,
  reason: null,
  createdAt: NOW - 60 * S,
  startedAt: node.startedAt,
  endedAt: null,
});
