import pc from "picocolors";
import { describe, expect, test } from "vitest";
import { path, query } from "../../cli/api/client.ts";
import { leaseLine } from "../../cli/show/lease.ts";
import { screen } from "../../cli/show/redraw.ts";
import { type RolloutMoment, rolloutChanges, rolloutPicture } from "../../cli/show/rollout.ts";
import { table } from "../../cli/show/table.ts";
import { span } from "../../cli/show/time.ts";
import type { LeaseView } from "../../protocol/lease.ts";
import type { Node } from "../../protocol/node.ts";
import type { RolloutNode } from "../../protocol/rollout.ts";
import { parseSpan } from "../../protocol/span.ts";

const colors = pc.createColors(false);
const build = (version: string) => ({ version, buildHash: version.replaceAll(".", "").padEnd(64, "0") });
const T = 1_784_031_600_000;

const member = (name: string, more: Partial<RolloutNode> = {}): RolloutNode => ({
  nodeId: `n-${name.padEnd(12, "0")}`,
  name,
  group: "db",
  stage: 0,
  status: "pending",
  from: build("1.0.0"),
  to: build("1.1.0"),
  jobId: null,
  reason: null,
  startedAt: null,
  endedAt: null,
  ...more,
});

const lease = (holder: string | null, more: Partial<NonNullable<LeaseView["holder"]>> = {}): LeaseView => ({
  group: "db",
  holder:
    holder === null
      ? null
      : {
          token: 7,
          nodeId: `n-${holder.padEnd(12, "0")}`,
          nodeName: holder,
          jobId: "j-000000000000",
          phase: "in-flight",
          since: T - 5000,
          overdue: false,
          ...more,
        },
  broken: [],
  voters: 3,
  quorum: 2,
  spare: 0,
  serving: 2,
});

const working = {
  name: "b",
  id: "n-b00000000000",
  update: { state: "draining", step: "drain", percent: 70, bytesPerSecond: null },
};

const moment = (
  nodes: readonly RolloutNode[],
  more: Partial<RolloutMoment["rollout"]> = {},
  held = lease("b"),
): RolloutMoment => ({
  rollout: {
    id: "r-000000000000",
    kind: "update",
    release: "1.1.0",
    rollbackOf: null,
    rolledBackBy: null,
    selection: { groups: ["db"] },
    policy: {
      stages: [1],
      concurrency: 5,
      threshold: null,
      pauseMs: 0,
      offline: "halt",
      onFailure: "halt",
      seed: 1,
    },
    allowUnhealthy: [],
    stages: [],
    stage: 0,
    counts: { pending: 0, preparing: 0, updating: 0, succeeded: 0, failed: 0, rolledBack: 0, skipped: 0 },
    budget: { failed: 0, allowed: 0 },
    estimatedEnd: null,
    planHash: null,
    status: "running",
    reason: null,
    acceptOutage: false,
    nodes: [...nodes],
    startedBy: "ann",
    createdAt: T - 12_000,
    endedAt: null,
    ...more,
  },
  lease: held,
  nodes: [working as unknown as Node],
  now: T,
});

const RUNNING = moment([
  member("a", { status: "succeeded", startedAt: T - 12_000, endedAt: T - 6000 }),
  member("b", { status: "updating", startedAt: T - 6000 }),
  member("c", { reason: { code: "held-by", message: "b holds the lease. It asks again in 5 s." } }),
]);

describe("a rollout", () => {
  test("is a rail with a mark for each node, who holds the lease, and why each waits", () => {
    expect(rolloutPicture(colors, RUNNING)).toBe(
      [
        "db → 1.1.0  running  r-000000000000 · 12 s",
        "  ├● a     succeeded   1.0.0 → 1.1.0 in 6 s",
        "  ├◐ b     updating    drain 70 % · in-flight, lease for 5 s",
        "  ╰○ c     pending     b holds the lease.",
        "  1 of 3 updated · 2 of 3 voters serve, quorum 2",
      ].join("\n"),
    );
  });

  test("that halted says why, and an overdue lease is told", () => {
    const halted = moment(
      [
        member("a", {
          status: "rolled-back",
          reason: { code: "unhealthy", message: "It was never healthy." },
        }),
        member("b"),
      ],
      { status: "halted", reason: { code: "failures", message: "Halted at the first failure." }, endedAt: T },
      lease("b", { overdue: true }),
    );
    const picture = rolloutPicture(colors, halted);
    expect(picture).toContain("├↩ a     rolled-back It was never healthy.");
    expect(picture).toContain("lease for 5 s, overdue");
    expect(picture).toMatch(/1 rolled back.*\n {2}Halted at the first failure\.$/);
  });

  test("is told line by line where nothing can be redrawn, and what stays the same is not told again", () => {
    expect(rolloutChanges(null, RUNNING)).toEqual([
      "rollout r-000000000000: db → 1.1.0, 3 nodes",
      "a: succeeded, runs 1.1.0 (11000000)",
      "b: updating, drain, lease in-flight",
      "c: pending: b holds the lease.",
      "rollout running",
    ]);
    expect(rolloutChanges(RUNNING, { ...RUNNING, now: T + 9999 })).toEqual([]);
    const done = moment(
      [
        member("a", { status: "succeeded" }),
        member("b", { status: "succeeded" }),
        member("c", { status: "updating" }),
      ],
      {},
      lease("c", { phase: "reserved" }),
    );
    expect(rolloutChanges(RUNNING, done)).toEqual([
      "b: succeeded, runs 1.1.0 (11000000)",
      "c: updating, lease reserved",
    ]);
  });
});

test("a screen draws over what it drew, and only when something changed", () => {
  const written: string[] = [];
  const drawn = screen({ write: (text) => void written.push(text), isTerminal: true, columns: 80 });
  drawn.show("a\nb");
  drawn.show("a\nb");
  drawn.show("c");
  expect(written).toHaveLength(2);
  expect(written[0]).not.toContain("\u001b[2A");
  expect(written[1]).toContain("\u001b[2A");
  expect(written[1]).toContain("\u001b[J");
});

test("a lease in a line", () => {
  expect(leaseLine(lease(null), T)).toBe("free");
  expect(leaseLine(lease("b"), T)).toBe("b, in-flight for 5 s");
  const broken = [{ token: 6, nodeId: "n-a00000000000", at: T, reason: "lost" }];
  expect(leaseLine({ ...lease(null), broken }, T)).toBe("free (1 broken, still counted as down)");
});

test("a table is as wide as its cells, whatever their colour", () => {
  const red = pc.createColors(true).red("x");
  expect(
    table(
      ["A", "BB"],
      [
        [red, "1"],
        ["long", "2"],
      ],
    ),
  ).toBe(`A     BB\n${red}     1\nlong  2`);
});

test.each([
  [400, "0 s"],
  [90_000, "90 s"],
  [180_000, "3 min"],
  [7_200_000, "2 h"],
  [400_000_000, "5 d"],
])("%d ms is %s", (ms, text) => {
  expect(span(ms)).toBe(text);
});

test.each([
  ["90s", 90_000],
  ["15m", 900_000],
  ["12h", 43_200_000],
  ["30d", 2_592_000_000],
  ["30", null],
  ["1.5h", null],
  ["-3s", null],
  ["", null],
])("%s is %s ms", (text, ms) => {
  expect(parseSpan(text)).toBe(ms);
});

test("addresses are encoded", () => {
  expect(path("v1", "nodes", "a/b ?")).toBe("/v1/nodes/a%2Fb%20%3F");
  expect(query({ group: "a&b", cursor: undefined, limit: 3 })).toBe("?group=a%26b&limit=3");
  expect(query({ cursor: undefined })).toBe("");
});
