import { describe, expect, test } from "vitest";
import type { Job } from "../../../protocol/job.ts";
import type { RolloutNode, RolloutSummary } from "../../../protocol/rollout.ts";
import { historyOf, newestOf, stepEntry } from "../../../server-stub/web/pages/rollout/history.ts";
import {
  allowanceOf,
  canBeRetried,
  isShown,
  movedOf,
  whyNot,
  wordOf,
} from "../../../server-stub/web/pages/rollout/words.ts";

const NOBODY = {
  pending: 0,
  preparing: 0,
  updating: 0,
  succeeded: 0,
  failed: 0,
  rolledBack: 0,
  skipped: 0,
};
const ROLLOUT: RolloutSummary = {
  id: "r-000000000001",
  kind: "update",
  release: "1.1.0",
  rollbackOf: null,
  rolledBackBy: null,
  selection: { all: true },
  policy: {
    stages: [0.5, 1],
    concurrency: 5,
    threshold: null,
    pauseMs: 10_000,
    offline: "halt",
    onFailure: "halt",
    seed: 1,
  },
  status: "running",
  reason: null,
  acceptOutage: false,
  allowUnhealthy: [],
  stages: [
    { share: 0.5, nodes: 1, status: "running", reason: null, startedAt: 20, endedAt: null },
    { share: 1, nodes: 1, status: "pending", reason: null, startedAt: null, endedAt: null },
  ],
  stage: 0,
  counts: { ...NOBODY, pending: 2 },
  budget: { failed: 0, allowed: 0 },
  estimatedEnd: null,
  planHash: null,
  startedBy: "anna",
  createdAt: 10,
  endedAt: null,
};
const PLACE: RolloutNode = {
  nodeId: "n-000000000001",
  name: "bert",
  group: "db",
  stage: 0,
  status: "pending",
  from: null,
  to: null,
  jobId: null,
  reason: null,
  startedAt: null,
  endedAt: null,
};
const rollout = (more: Partial<RolloutSummary>): RolloutSummary => ({ ...ROLLOUT, ...more });

describe("what may be told to a rollout", () => {
  test.each([
    ["running", ["pause", "cancel"]],
    ["paused", ["resume", "cancel"]],
    ["halted", ["cancel", "retry"]],
    ["failed", ["cancel", "retry"]],
    ["completed", []],
    ["cancelled", []],
  ] as const)("%s: %j", (status, may) => {
    const actions = ["pause", "resume", "cancel", "retry", "rollback"] as const;
    expect(actions.filter((action) => whyNot(rollout({ status }), action, 0, null) === null)).toEqual(may);
  });

  test("who has moved can be brought back, once", () => {
    const moved = rollout({ status: "completed", counts: { ...NOBODY, succeeded: 2 } });
    expect(movedOf(moved)).toBe(2);
    expect(whyNot(moved, "rollback", 0, null)).toBeNull();
    const taken = { ...moved, rolledBackBy: "r-000000000002" };
    expect(whyNot(taken, "rollback", 0, "running")).toMatch(/r-000000000002/);
    expect(whyNot(taken, "rollback", 0, "cancelled")).toBeNull();
    expect(whyNot({ ...moved, kind: "rollback" }, "rollback", 0, null)).toMatch(/itself/);
  });

  test("a completed rollout with somebody left out can be retried", () => {
    const left: RolloutNode = {
      ...PLACE,
      status: "skipped",
      reason: { code: "node-offline", message: "It was away." },
    };
    expect(canBeRetried(left)).toBe(true);
    expect(canBeRetried({ ...left, reason: { code: "already-up-to-date", message: "" } })).toBe(false);
    expect(whyNot(rollout({ status: "completed" }), "retry", 1, null)).toBeNull();
  });
});

describe("what it says", () => {
  test.each([
    [{ failed: 2, allowed: 3 }, "2 of 3 allowed"],
    [{ failed: 0, allowed: 0 }, "No failure, none allowed"],
    [{ failed: 1, allowed: 0 }, "1 failed, none allowed"],
  ])("%o: %s", (budget, said) => expect(allowanceOf(budget)).toBe(said));

  test("waiting is who prepares, too; in a rollback one goes back", () => {
    expect(isShown({ ...PLACE, status: "preparing" }, "waiting")).toBe(true);
    expect(isShown({ ...PLACE, status: "updating" }, "waiting")).toBe(false);
    expect(isShown(PLACE, null)).toBe(true);
    expect(wordOf("succeeded", "rollback")).toBe("went back");
    expect(wordOf("succeeded", "update")).toBe("updated");
  });

  test("a reload forgets nothing that is on record, and the newest is read first", () => {
    const ended: RolloutNode = {
      ...PLACE,
      status: "rolled-back",
      reason: { code: "crashed", message: "It ended at once." },
      endedAt: 40,
    };
    const job = { id: "j-000000000001", step: "swap", status: "running" } as Job;
    const all = newestOf(historyOf(ROLLOUT, [ended, PLACE]), [stepEntry(job, "bert", 30)], 3);
    expect(all.map(({ node, text }) => [node, text])).toEqual([
      ["bert", "It ended at once."],
      ["bert", "swaps the build"],
      [null, "stage 1 of 2 began"],
    ]);
  });
});
