/** Rollouts that are worth a look. */
import { NOW, S, type Scene } from "./scene.ts";

const groupNames = ["db", "cache", "queue", "search"];
const ofThree = (index: number): string => groupNames[Math.floor(index / 3)] ?? "more";

/** Three voters, the second of which is at work. */
export const THREE: Scene = {
  stages: ["suo"],
  group: () => "db",
  name: (index) => `db-${index + 1}`,
  node: ({ status }) =>
    status === "pending"
      ? { reason: { code: "held-by", message: "db-2 holds the lease. It asks again in 5 s." } }
      : {},
  rollout: {
    budget: { failed: 0, allowed: 0 },
    reason: { code: "turn", message: "db-2 has the turn in db, and drains." },
    estimatedEnd: NOW + 95 * S,
  },
};

/** Four quorum groups in three stages; the second stage has lost a node. */
export const TWELVE: Scene = {
  stages: ["sss", "sru" + "pop", "ooo"],
  group: ofThree,
  name: (index) => `${ofThree(index)}-${(index % 3) + 1}`,
  node: ({ status, group }) =>
    status === "rolled-back"
      ? {
          reason: {
            code: "never-healthy",
            message: "It did not become healthy within 90 s: exit 1 of the health hook.",
          },
        }
      : status === "pending"
        ? {
            reason: {
              code: "not-your-turn",
              message: `Another node of ${group} goes first. Its turn comes by itself.`,
            },
          }
        : {},
  rollout: {
    budget: { failed: 1, allowed: 3 },
    reason: {
      code: "working",
      message: "Two groups are at work, which is as many as the policy allows at once.",
    },
  },
};

/** Three hundred nodes that each stand for themselves. */
export const THREE_HUNDRED: Scene = {
  stages: [
    "s".repeat(30),
    `${"s".repeat(61)}ffr${"u".repeat(5)}${"p".repeat(9)}${"o".repeat(42)}`,
    "o".repeat(150),
  ],
  group: (index) => `edge-${index}`,
  name: (index) => `edge-${String(index + 1).padStart(3, "0")}.fra.example`,
  node: ({ status }) =>
    status === "failed" || status === "rolled-back"
      ? { reason: { code: "never-healthy", message: "It did not become healthy within 90 s." } }
      : {},
  rollout: {
    budget: { failed: 3, allowed: 36 },
    reason: {
      code: "working",
      message: "Five nodes are at work, which is as many as the policy allows at once.",
    },
  },
};

/** Twelve nodes, halted by a second failure. */
export const HALTED: Scene = {
  ...TWELVE,
  stages: ["sss", "srofoo", "ooo"],
  rollout: {
    status: "halted",
    budget: { failed: 2, allowed: 1 },
    reason: {
      code: "too-many-failed",
      message:
        "Halted: 2 of the 6 nodes of stage 2 have failed or gone back, and 1 was allowed. Nodes that were not touched stay as they are. Look at the jobs of cache-2 and queue-1, then: baton rollout retry r-4f2k9d0q1xzs, or baton rollout rollback r-4f2k9d0q1xzs.",
    },
    endedAt: NOW,
    estimatedEnd: null,
  },
};

/** Twelve nodes of which the last stage waits for an operator. */
export const PAUSED: Scene = {
  ...TWELVE,
  stages: ["sss", "ssskss", "ooo"],
  rollout: {
    status: "paused",
    policy: {
      stages: [0.25, 0.75, 1],
      concurrency: 1,
      threshold: 0,
      pauseMs: null,
      offline: "skip",
      onFailure: "rollback",
      seed: 7,
    },
    acceptOutage: true,
    allowUnhealthy: ["n-000000000004"],
    reason: { code: "stage-done", message: "Stage 2 is done. It goes on when an operator says resume." },
    estimatedEnd: null,
  },
};

/** A rollout that takes another one back. */
export const BACK: Scene = {
  stages: ["suo"],
  group: () => "db",
  name: (index) => `db-${index + 1}`,
  overdue: true,
  rollout: { kind: "rollback", rollbackOf: "r-000000000001", budget: { failed: 0, allowed: 0 } },
};

export const COMPLETED: Scene = {
  ...THREE,
  stages: ["sss"],
  rollout: { status: "completed", budget: { failed: 0, allowed: 0 }, endedAt: NOW, estimatedEnd: null },
};
