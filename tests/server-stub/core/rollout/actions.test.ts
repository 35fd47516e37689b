/** What an operator may tell a rollout in which state: every pair is decided. */
import { describe, expect, test } from "vitest";
import { ACTIONS, type ActionName, act, mayAct } from "../../../../server-stub/core/rollout/actions.ts";
import type { Place, RolloutRecord } from "../../../../server-stub/core/rollout/rollout.ts";
import { ROLLOUT } from "../../store/records.ts";

const STATUSES = ["pending", "running", "paused", "halted", "failed", "completed", "cancelled"] as const;
const TIME = { nowMs: 1, wallMs: 1 };

const [FIRST] = ROLLOUT.nodes;
const rollout = (status: RolloutRecord["status"], change: Partial<RolloutRecord> = {}): RolloutRecord => ({
  ...ROLLOUT,
  status,
  ...change,
});
const withNode = (change: Partial<Place>): Pick<RolloutRecord, "nodes"> => {
  if (FIRST === undefined) throw new Error("no node");
  return { nodes: [{ ...FIRST, ...change }] };
};

function table(of: (status: (typeof STATUSES)[number]) => RolloutRecord): Record<string, string> {
  const rows = STATUSES.map((status) => {
    const cells = ACTIONS.map((name) => {
      const may = mayAct(of(status), name);
      return typeof may === "string" ? may : "no";
    });
    return [status, cells.join(" ")];
  });
  return Object.fromEntries(rows) as Record<string, string>;
}

/** In the order of `ACTIONS`: pause, resume, cancel, retry, rollback. */
describe("every pair of a status and an action is decided", () => {
  test("where nothing has happened to any node", () => {
    expect(table((status) => rollout(status))).toEqual({
      pending: "yes done yes done no",
      running: "yes done yes done no",
      paused: "done yes yes done no",
      halted: "no no yes yes no",
      failed: "no no yes yes no",
      completed: "no no no no no",
      cancelled: "no no done no no",
    });
  });

  test("where a node was updated", () => {
    expect(table((status) => rollout(status, withNode({ status: "succeeded" })))).toEqual({
      pending: "yes done yes done yes",
      running: "yes done yes done yes",
      paused: "done yes yes done yes",
      halted: "no no yes yes yes",
      failed: "no no yes yes yes",
      completed: "no no no no yes",
      cancelled: "no no done no yes",
    });
  });

  test("where a node has failed, or was left out for it: retry has somebody to begin anew", () => {
    const groupStopped = { status: "skipped", reason: { code: "group-stopped", message: "x" } } as const;
    for (const change of [{ status: "rolled-back" } as const, groupStopped]) {
      const found = table((status) => rollout(status, withNode(change)));
      expect(found).toMatchObject({
        running: "yes done yes yes no",
        paused: "done yes yes yes no",
        completed: "no no no yes no",
        cancelled: "no no done no no",
      });
    }
  });

  test("where it was taken back: nothing goes on with it, and taking it back again is done", () => {
    const found = table((status) =>
      rollout(status, { rolledBackBy: "r-2", ...withNode({ status: "failed" }) }),
    );
    expect(found).toMatchObject({
      halted: "no no yes no done",
      completed: "no no no no done",
      cancelled: "no no done no done",
    });
  });

  test("where it is a rollback itself, it is not taken back", () => {
    const found = table((status) =>
      rollout(status, { kind: "rollback", rollbackOf: "r-0", ...withNode({ status: "succeeded" }) }),
    );
    expect(Object.values(found).every((cells) => cells.endsWith(" no"))).toBe(true);
  });
});

test("what may not be done is refused in a sentence, with what can be done instead", () => {
  const refused = STATUSES.flatMap((status) =>
    ACTIONS.map((name) => mayAct(rollout(status), name)).filter((may) => typeof may !== "string"),
  );
  for (const { message } of refused) expect(message).toMatch(/^Rollout r-1 .+\.$/);
  const sentence = (
    status: RolloutRecord["status"],
    name: ActionName,
    change: Partial<RolloutRecord> = {},
  ) => {
    const may = mayAct(rollout(status, change), name);
    return typeof may === "string" ? may : `${may.message} ${may.hint}`.trim();
  };
  expect(sentence("halted", "resume")).toBe(
    "Rollout r-1 is halted and cannot be resumed. Retry goes on with it, and begins anew who failed; cancel ends it.",
  );
  expect(sentence("completed", "pause")).toContain("To undo it, roll it back.");
  expect(sentence("cancelled", "retry", { rolledBackBy: "r-2" })).toContain("was taken back by rollout r-2");
  expect(sentence("running", "rollback")).toContain("Cancel it, and its nodes stay as they are.");
});

test("what is done already, or may not be, changes nothing", () => {
  const pairs = STATUSES.flatMap((status) => ACTIONS.map((name) => ({ before: rollout(status), name })));
  const refused = pairs.filter(({ before, name }) => mayAct(before, name) !== "yes");
  expect(refused.length).toBeGreaterThan(10);
  for (const { before, name } of refused) expect(act(before, { name, by: "ada" }, TIME)).toBe(before);
});

test("a retry lifts holds and quarantines of who failed, and of nobody else", () => {
  const [a, b] = ROLLOUT.nodes;
  if (a === undefined || b === undefined) throw new Error("two nodes");
  const stopped = { code: "group-stopped", message: "x" };
  const before = rollout("halted", {
    nodes: [
      { ...a, status: "failed" },
      { ...b, status: "skipped", reason: stopped },
    ],
  });
  const after = act(before, { name: "retry", by: "ada" }, TIME);
  expect(after.nodes.map(({ status, retry }) => [status, retry])).toEqual([
    ["pending", true],
    ["pending", false],
  ]);
});

test("who was left out before it began is not begun anew", () => {
  const left = withNode({ status: "skipped", left: true, reason: { code: "node-offline", message: "x" } });
  const before = rollout("halted", left);
  expect(act(before, { name: "retry", by: "ada" }, TIME).nodes).toEqual(before.nodes);
});
