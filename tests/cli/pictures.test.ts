import pc from "picocolors";
import { expect, test } from "vitest";
import { type Fleet, fleetText } from "../../cli/show/fleet.ts";
import { planText } from "../../cli/show/plan.ts";
import { width } from "../../cli/show/table.ts";
import type { Alert } from "../../protocol/alert.ts";
import type { Group } from "../../protocol/group.ts";
import type { Node } from "../../protocol/node.ts";
import type { Check, PlannedNode, RolloutPlan } from "../../protocol/plan.ts";
import { page, sections } from "./page.ts";
import { build, NOW, sceneOf } from "./rollout/scene.ts";
import { TWELVE } from "./rollout/scenes.ts";

process.env.TZ = "UTC";

const plain = pc.createColors(false);
const colored = pc.createColors(true);

const check = (
  name: Check["check"],
  outcome: Check["outcome"],
  message: string,
  more: Partial<Check> = {},
): Check => ({
  check: name,
  outcome,
  code: null,
  message,
  override: null,
  group: null,
  nodeId: null,
  numbers: {},
  ...more,
});

const planned = (
  index: number,
  name: string,
  group: string,
  stage: number,
  role: string | null,
): PlannedNode => ({
  nodeId: `n-${String(index).padStart(12, "0")}`,
  name,
  group,
  stage,
  role,
  from: build(name === "web-2" ? "1.2.0" : "1.3.0"),
  to: build("1.4.0"),
});

const PLAN: RolloutPlan = {
  kind: "update",
  release: "1.4.0",
  hash: "0b38e580d09cf6fddedf5528940eb6d0bd09b5e5ffad665146dfdecc74f85d8b",
  startable: true,
  checks: [
    check("online", "passed", "All 6 nodes were heard within 10 s.", { numbers: { nodes: 6 } }),
    check("quorum", "passed", "db: 3 voters, quorum 2, spare 0: 3 serve, and 1 may be lost at a time."),
    check("quorum", "passed", "cache: 3 voters, quorum 2, spare 0: 3 serve, and 1 may be lost at a time."),
    check("window", "warned", "The window of web is closed until 22:00 (Europe/Berlin): it waits.", {
      numbers: { closed: 1 },
    }),
  ],
  stages: [
    { share: 0.5, nodes: 3, groups: 1 },
    { share: 1, nodes: 2, groups: 1 },
  ],
  nodes: [
    planned(1, "db-2", "db", 0, "follower"),
    planned(2, "db-3", "db", 0, "follower"),
    planned(3, "db-1", "db", 0, "leader"),
    planned(4, "web-1", "web", 1, null),
    planned(5, "web-2", "web", 1, null),
  ],
  skips: [
    {
      nodeId: "n-000000000006",
      name: "web-3",
      group: "web",
      reason: { code: "offline", message: "It has not been heard for 3 h." },
    },
  ],
  policy: {
    stages: [0.5, 1],
    concurrency: 2,
    threshold: null,
    pauseMs: 10_000,
    offline: "skip",
    onFailure: "halt",
    seed: 7,
  },
  estimate: { perNodeMs: 42_000, totalMs: 190_000, jobs: 8 },
};

const REFUSED: RolloutPlan = {
  ...PLAN,
  startable: false,
  estimate: null,
  checks: [
    check("healthy", "refused", "db-3 is not healthy: exit 1 of the health hook.", {
      code: "node-unhealthy",
      override: "allow-unhealthy",
      numbers: { unhealthy: 1 },
    }),
    check("quorum", "refused", "mq: 2 voters, quorum 2: none may be lost.", {
      code: "quorum",
      override: "accept-outage",
    }),
  ],
};

test("a plan: its checks, the order in stages, who is left out, how long", async () => {
  const shown = sections([
    ["it may start, 80 columns", planText(plain, PLAN, 80)],
    ["it may not, 60 columns", planText(plain, REFUSED, 60)],
  ]);
  expect(shown).toBe(await page("plan", shown));
  for (const line of planText(colored, PLAN, 60).split("\n").slice(0, -1))
    expect(width(line)).toBeLessThanOrEqual(60);
});

const node = (index: number, more: Partial<Node> = {}): Node =>
  ({
    id: `n-${index}`,
    name: `n${index}`,
    membership: "approved",
    presence: "online",
    serving: true,
    behind: false,
    build: build("1.4.0"),
    ...more,
  }) as Node;

const group = (name: string, more: Partial<Group> = {}, lease: Partial<Group["lease"]> = {}): Group => ({
  name,
  mode: "quorum",
  spare: null,
  desired: null,
  windows: null,
  freeze: null,
  channel: null,
  gate: null,
  nodes: 3,
  lease: { group: name, holder: null, broken: [], voters: 3, quorum: 2, spare: 0, serving: 3, ...lease },
  createdAt: 0,
  ...more,
});

const holder = {
  token: 7,
  nodeId: "n-2",
  nodeName: "db-2",
  jobId: "j-0",
  phase: "in-flight" as const,
  since: NOW - 12_000,
  overdue: false,
};

const FLEET: Fleet = {
  url: "https://baton.example:8420",
  coordinator: "1.1.0",
  nodes: [
    ...Array.from({ length: 8 }, (_, index) => node(index)),
    node(8, { behind: true, build: build("1.3.0") }),
    node(9, { behind: true, build: build("1.3.0"), serving: false }),
    node(10, { presence: "offline", serving: false, build: build("1.2.0"), behind: true }),
    node(11, { membership: "pending", presence: "unknown", serving: false, build: null }),
  ],
  groups: [
    group("db", {}, { holder, serving: 2 }),
    group("cache"),
    group("web", {
      mode: "independent",
      gate: { code: "outside-window", message: "The window opens at 22:00 (Europe/Berlin)." },
    }),
  ],
  rollouts: [sceneOf(TWELVE).rollout],
  alerts: [
    {
      id: 3,
      kind: "node_offline",
      subject: "n-10",
      message: "It has not been heard for 5 min.",
      raisedAt: NOW - 300_000,
      acknowledgedBy: "anna",
    } as Alert,
  ],
  policy: { windows: [], rollout: {}, freeze: { reason: "year end", until: NOW, by: "anna", at: NOW } },
  now: NOW,
};

test("the fleet on one screen", async () => {
  const shown = sections([
    ["80 columns", fleetText(plain, FLEET, 80)],
    ["120 columns", fleetText(plain, FLEET, 120)],
    [
      "nobody is there yet",
      fleetText(
        plain,
        {
          ...FLEET,
          nodes: [],
          groups: [],
          rollouts: [],
          alerts: [],
          policy: { windows: [], rollout: {}, freeze: null },
        },
        80,
      ),
    ],
  ]);
  expect(shown).toBe(await page("fleet", shown));
});
