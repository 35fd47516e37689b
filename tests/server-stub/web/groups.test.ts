import { describe, expect, test } from "vitest";
import type { Group } from "../../../protocol/group.ts";
import {
  baseUrlOf,
  gateOf,
  jobOf,
  leaseOf,
  lockOf,
  quorumOf,
  quorumTone,
  whyNoGroupName,
  whyNoSpare,
} from "../../../server-stub/web/pages/groups/model.ts";
import { policyFacts, spanOf } from "../../../server-stub/web/pages/policy/model.ts";
import { newestFirst, runsOf, sizeOf } from "../../../server-stub/web/pages/releases/model.ts";
import { BUILD, node } from "./node.ts";

const GROUP: Group = {
  name: "db",
  mode: "quorum",
  spare: null,
  desired: null,
  windows: null,
  freeze: null,
  channel: null,
  gate: null,
  nodes: 3,
  lease: { group: "db", holder: null, broken: [], voters: 3, quorum: 2, spare: 0, serving: 3 },
  createdAt: 0,
};
const group = (change: Partial<Group>, lease: Partial<Group["lease"]> = {}): Group => ({
  ...GROUP,
  ...change,
  lease: { ...GROUP.lease, ...lease },
});
const HOLDER = {
  token: 1,
  nodeId: "n-000000000001",
  nodeName: null,
  jobId: "j-000000000001",
  phase: "in-flight",
  since: 0,
  overdue: false,
} as const;

describe("what is said of a group", () => {
  test("whether anybody may begin", () => {
    expect(gateOf(GROUP).word).toBe("open");
    expect(gateOf(group({ gate: { code: "outside-window", message: "later" } })).word).toBe("closed");
    expect(gateOf(group({ freeze: { reason: "r", until: null, by: "ann", at: 0 } })).word).toBe("frozen");
  });

  test("who holds its lease", () => {
    const nameOf = (id: string): string => (id === HOLDER.nodeId ? "anna" : id);
    expect(leaseOf(GROUP, nameOf)).toEqual({ tone: "idle", word: "free" });
    expect(leaseOf(group({}, { holder: HOLDER }), nameOf)).toEqual({ tone: "busy", word: "anna, in flight" });
    expect(leaseOf(group({}, { holder: { ...HOLDER, overdue: true } }), nameOf).tone).toBe("bad");
    const broken = [{ token: 1, nodeId: HOLDER.nodeId, at: 0, reason: "lost" }];
    expect(leaseOf(group({}, { broken }), nameOf).word).toBe("free, 1 broken");
  });

  test("how far it is from losing its quorum", () => {
    expect(quorumOf(GROUP)).toBe("3 of 3 voters serve, quorum 2");
    expect([3, 2, 1].map((serving) => quorumTone(group({}, { serving })))).toEqual(["good", "warn", "bad"]);
    expect(quorumOf(group({ mode: "independent" }))).toMatch(/itself/);
    const clients = group({}, { voters: 0, serving: 0, quorum: 1 });
    expect([quorumOf(clients), quorumTone(clients)]).toEqual(["nobody has a vote", "idle"]);
  });

  test("what a FleetLock client has of it", () => {
    const client = node({ client: "fleet-lock", presence: "unknown", build: null });
    const broken = [{ token: 1, nodeId: HOLDER.nodeId, at: 0, reason: "lost" }];
    expect(lockOf(client, GROUP)).toEqual({ tone: "idle", word: "does not hold it" });
    expect(lockOf(client, group({}, { holder: HOLDER })).word).toBe("holds the lock");
    expect(lockOf(client, group({}, { holder: { ...HOLDER, overdue: true } })).tone).toBe("bad");
    expect(lockOf(client, group({}, { broken })).word).toMatch(/counts as down/);
    expect(lockOf({ ...client, membership: "pending" }, GROUP).word).toBe("waits for approval");
    // In a group of independent nodes it may hold one of several.
    expect(lockOf({ ...client, serving: false }, GROUP).word).toBe("holds the lock");
    expect(jobOf({ jobId: "j-000000000000" })).toBeNull();
    expect(jobOf(HOLDER)).toBe(HOLDER.jobId);
    const opened = { voter: false, autoApprove: false, basicAuth: true, user: "db", password: "a/b" };
    expect(baseUrlOf("https://baton.example:8420", opened)).toBe("https://db:a%2Fb@baton.example:8420/");
  });

  test("what may be typed", () => {
    expect(["", "0", " 7 ", "100"].map(whyNoSpare)).toEqual([null, null, null, null]);
    expect(["-1", "101", "1.5", "one"].map((text) => whyNoSpare(text) === null)).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(whyNoGroupName("db-1.eu")).toBeNull();
    expect(
      ["", "a b", "<b>", "-x", "x".repeat(65)].map((name) => whyNoGroupName(name) === null),
    ).not.toContain(true);
  });
});

test("what a rollout takes, in words", () => {
  expect(policyFacts({})).toEqual([]);
  expect(policyFacts({ stages: [0.1, 1], threshold: 0, pauseMs: null, concurrency: 5 })).toEqual([
    ["Stages", "10 % → 100 %"],
    ["Groups at once", "5"],
    ["Halts", "at the first failure"],
    ["Between stages", "waits for an operator"],
  ]);
  expect([0, 60_000, 5_400_000, 90_000_000].map(spanOf)).toEqual(["0 s", "1 min", "1 h 30 min", "1 d 1 h"]);
});

test("where a release runs", () => {
  const nodes = [
    node({}),
    node({ build: null }),
    node({ membership: "pending" }),
    node({ build: { ...BUILD, version: "2.0.0" } }),
  ];
  expect([...runsOf(nodes)]).toEqual([
    ["1.3.0", 1],
    ["2.0.0", 1],
  ]);
  const releases = ["1.9.0", "1.10.0", "1.2.0"].map((version) => ({
    version,
    minVersion: null,
    bundles: [],
  }));
  expect(newestFirst(releases).map(({ version }) => version)).toEqual(["1.10.0", "1.9.0", "1.2.0"]);
  expect([1, 2048, 3 * 1024 ** 2].map(sizeOf)).toEqual(["1 B", "2.0 KiB", "3.0 MiB"]);
});
