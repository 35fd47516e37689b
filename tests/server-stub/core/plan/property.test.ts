/** Plans of fleets that are as they like: what is true of every plan, and of every hash. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { PROBLEM_STATUS } from "../../../../protocol/problem.ts";
import { denyByBudget } from "../../../../server-stub/core/lease/budget.ts";
import { NO_LEASE } from "../../../../server-stub/core/lease/record.ts";
import type { GroupView } from "../../../../server-stub/core/lease/view.ts";
import { differences } from "../../../../server-stub/core/plan/ingredients.ts";
import { type Planned, planRollout } from "../../../../server-stub/core/plan/plan.ts";
import type { PlanGroup, PlanNode, PlanRequest, PlanWorld } from "../../../../server-stub/core/plan/world.ts";
import { buildOf, nodeOf, POLICY, releaseOf } from "./world.ts";

const RUNS = { numRuns: 300, seed: 4711 };
const GROUPS = ["a", "b", "c"];
const RELEASES = [releaseOf("1.0.0"), releaseOf("1.1.0"), releaseOf("1.2.0")];

type Drawn = {
  readonly at: number;
  readonly group: number;
  readonly voter: boolean;
  readonly selected: boolean;
  readonly version: string;
  readonly hold: boolean;
  readonly leads: boolean;
};

const drawn: fc.Arbitrary<Drawn> = fc.record({
  at: fc.nat({ max: 40 }),
  group: fc.nat({ max: 2 }),
  voter: fc.boolean(),
  selected: fc.boolean(),
  version: fc.constantFrom("1.0.0", "1.0.0", "1.1.0"),
  hold: fc.constantFrom(false, false, true),
  leads: fc.boolean(),
});

/** What comes and goes of a node by itself. */
const passing = fc.record({
  presence: fc.constantFrom("online" as const, "online" as const, "offline" as const, "unknown" as const),
  heardAgoMs: fc.constantFrom(0, 9_000, 30_000, null),
  healthy: fc.constantFrom(true, true, false),
  leased: fc.constantFrom(false, false, true),
});

const world = (drawnNodes: readonly Drawn[], modes: readonly boolean[]): PlanWorld => {
  const ledBy = new Map<string, number>();
  const unique = [...new Map(drawnNodes.map((each) => [each.at, each])).values()];
  const nodes = unique.map(({ at, group, voter, selected, version, hold, leads }): PlanNode => {
    const name = GROUPS[group] ?? "a";
    const isLeader = leads && !ledBy.has(name);
    if (isLeader) ledBy.set(name, at);
    const node = nodeOf(`n${at}`, name, { voter, selected, role: isLeader ? "leader" : "follower" });
    const holdings = { backup: null, hold, quarantine: [] };
    return { ...node, known: node.known && { ...node.known, build: buildOf(version), holdings } };
  });
  const touched = new Set(nodes.filter((node) => node.selected).map((node) => node.group));
  return {
    groups: GROUPS.filter((name) => touched.has(name)).map((name, index): PlanGroup => {
      const mode = modes[index] === true ? "quorum" : "independent";
      return { name, mode, spare: null, gate: null, wanted: null };
    }),
    nodes: nodes.filter((node) => touched.has(node.group)),
    releases: RELEASES,
    heartbeatMs: 5_000,
    past: [],
  };
};

const worlds = fc
  .tuple(fc.array(drawn, { minLength: 1, maxLength: 20 }), fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()))
  .map(([nodes, modes]) => world(nodes, modes))
  .filter(({ nodes }) => nodes.some((node) => node.selected));

const requests: fc.Arbitrary<PlanRequest> = fc
  .record({
    release: fc.constantFrom(...RELEASES.slice(1)),
    policy: fc.record({
      stages: fc.constantFrom([1], [0.1, 0.5, 1], [0.3, 1]),
      seed: fc.nat({ max: 3 }),
      concurrency: fc.constantFrom(1, 5),
    }),
    acceptOutage: fc.constant(false),
    retry: fc.boolean(),
    allow: fc.uniqueArray(fc.nat({ max: 40 }), { maxLength: 2 }),
    ofWholeGroups: fc.boolean(),
  })
  .map(
    ({ allow, policy, ...rest }): PlanRequest => ({
      ...rest,
      policy: { ...POLICY, ...policy, stages: [...policy.stages] },
      allowUnhealthy: allow.map((at) => `n-n${at}`),
    }),
  );

const holds = (property: fc.IProperty<never> | fc.IRawProperty<unknown>): void => {
  const check = fc.check(property as fc.IProperty<unknown>, { ...RUNS, includeErrorInReport: true });
  expect(check.failed ? fc.defaultReportMessage(check) : "it held").toBe("it held");
};

const hashOf = ({ plan }: Planned): string => plan.hash;

test("the same world gives the same plan, in whatever order nodes, groups and releases come", () => {
  holds(
    fc.property(worlds, requests, fc.infiniteStream(fc.nat()), (given, request, random) => {
      const shuffled = <T>(items: readonly T[]): T[] =>
        items
          .map((item) => ({ item, by: random.next().value as number }))
          .sort((a, b) => a.by - b.by)
          .map(({ item }) => item);
      const other = {
        ...given,
        nodes: shuffled(given.nodes),
        groups: shuffled(given.groups),
        releases: shuffled(given.releases),
      };
      expect(planRollout(other, request).plan).toEqual(planRollout(given, request).plan);
    }),
  );
});

test("who is there, ill or at work changes no hash", () => {
  holds(
    fc.property(
      worlds,
      requests,
      fc.array(passing, { minLength: 41, maxLength: 41 }),
      (given, request, now) => {
        const nodes = given.nodes.map((node, index): PlanNode => {
          const { presence, heardAgoMs, healthy, leased } = now[index] ?? now[0] ?? ALL_WELL;
          const lease = leased ? ({ token: 1, phase: "in-flight", overdue: false } as const) : null;
          return { ...node, presence, heardAgoMs, health: { healthy }, serving: healthy, lease };
        });
        expect(hashOf(planRollout({ ...given, nodes }, request))).toBe(hashOf(planRollout(given, request)));
      },
    ),
  );
});
const ALL_WELL = { presence: "online", heardAgoMs: 0, healthy: true, leased: false } as const;

/** What a hash is to be over, taken from what is shown and put together the simplest way. */
const essence = ({ plan }: Planned, { nodes, groups }: PlanWorld): string =>
  JSON.stringify([
    plan.release,
    plan.nodes.map(({ nodeId }) => nodeId),
    sorted(plan.skips.map(({ nodeId, reason }) => [nodeId, reason.code])),
    sorted(Object.entries(plan.policy)),
    sorted(nodes.map(({ id, group, voter }) => [id, group, voter])),
    sorted(groups.map(({ name, mode, spare }) => [name, mode, spare])),
  ]);

const sorted = (items: readonly unknown[]): readonly string[] =>
  items.map((item) => JSON.stringify(item)).toSorted((a, b) => (a < b ? -1 : 1));

test("two plans have the same hash exactly when all that it is over is the same; else it is told what differs", () => {
  const change = fc.record(
    {
      voter: fc.boolean(),
      selected: fc.boolean(),
      version: fc.constantFrom("1.0.0", "1.1.0", "1.2.0"),
      hold: fc.boolean(),
      leads: fc.boolean(),
    },
    { requiredKeys: [] },
  );
  const pair = fc
    .tuple(
      fc.array(drawn, { minLength: 1, maxLength: 6 }),
      fc.nat(),
      change,
      fc.array(drawn, { maxLength: 1 }),
    )
    .map(([some, at, changed, more]): [Drawn[], Drawn[]] => {
      const isThat = (index: number) => index === at % some.length;
      const now = some.map((each, index) => (isThat(index) ? { ...each, ...changed } : each));
      return [some, [...now, ...more]];
    });
  const modes = fc.constantFrom([true, true, false], [true, false, false]);
  holds(
    fc.property(
      pair,
      modes,
      modes,
      requests,
      requests,
      fc.boolean(),
      (nodes, m1, m2, r1, r2, sameRequest) => {
        const [w1, w2] = [world(nodes[0], m1), world(nodes[1], m2)];
        if (!w1.nodes.some((node) => node.selected)) return;
        const [p1, p2] = [planRollout(w1, r1), planRollout(w2, sameRequest ? r1 : r2)];
        const same = essence(p1, w1) === essence(p2, w2);
        expect(hashOf(p1) === hashOf(p2)).toBe(same);
        expect(differences(p1.memory, p2.memory).length === 0).toBe(same);
      },
    ),
  );
});

test("everybody selected either goes or is left out; groups stay whole, and stages reach their share", () => {
  holds(
    fc.property(worlds, requests, (given, request) => {
      const { plan } = planRollout(given, request);
      const told = [...plan.nodes, ...plan.skips].map(({ nodeId }) => nodeId);
      expect([...told].sort()).toEqual(
        given.nodes
          .filter((node) => node.selected)
          .map(({ id }) => id)
          .sort(),
      );
      for (const { name, mode } of given.groups) {
        const own = plan.nodes.filter(({ group }) => group === name);
        if (mode === "independent") continue;
        expect(new Set(own.map(({ stage }) => stage)).size).toBeLessThanOrEqual(1);
        expect(own.slice(0, -1).every(({ role }) => role !== "leader")).toBe(true);
      }
      let sum = 0;
      plan.stages.forEach(({ share, nodes }, stage) => {
        expect(plan.nodes.filter((node) => node.stage === stage)).toHaveLength(nodes);
        sum += nodes;
        expect(sum).toBeGreaterThanOrEqual(share * plan.nodes.length - 1e-6);
      });
      expect(sum).toBe(plan.nodes.length);
    }),
  );
});

/** A group that is nearly well. */
const quorumGroup = fc
  .array(fc.tuple(fc.constantFrom(true, true, true, false), fc.constantFrom(true, true, false)), {
    minLength: 3,
    maxLength: 6,
  })
  .map((members): Drawn[] =>
    members.map(([voter, selected], at) => {
      return { at, group: 0, voter, selected, version: "1.0.0", hold: false, leads: false };
    }),
  )
  .map((nodes) => world(nodes, [true, true, true]))
  .filter(({ nodes }) => nodes.some((node) => node.selected));

test("what is startable the lease grants, one after the other; what is not, names a problem", () => {
  const ill = fc.uniqueArray(fc.nat({ max: 5 }), { maxLength: 2 });
  let started = 0;
  holds(
    fc.property(quorumGroup, requests, ill, fc.boolean(), (given, asked, sick, named) => {
      const request = named ? { ...asked, allowUnhealthy: sick.map((at) => `n-n${at}`) } : asked;
      const nodes = given.nodes.map((node): PlanNode => {
        const isIll = sick.includes(Number(node.name.slice(1)));
        return isIll
          ? { ...node, serving: false, ailment: "is unhealthy", health: { healthy: false } }
          : node;
      });
      const { plan } = planRollout({ ...given, nodes }, request);
      const refusing = plan.checks.filter(({ outcome }) => outcome === "refused");
      expect(plan.startable).toBe(refusing.length === 0);
      for (const { code } of refusing) expect(PROBLEM_STATUS).toHaveProperty(code ?? "");
      if (!plan.startable) return;
      started += 1;
      for (const group of given.groups.filter(({ mode }) => mode === "quorum")) {
        const members = nodes.filter((node) => node.group === group.name);
        const mended = new Set<string>();
        for (const { nodeId } of plan.nodes.filter((node) => node.group === group.name)) {
          const view: GroupView = {
            mode: "quorum",
            spare: null,
            acceptOutage: false,
            gate: null,
            members: members.map((node) => ({
              ...node,
              serving: node.serving || mended.has(node.id),
              old: true,
            })),
          };
          expect(denyByBudget(view, NO_LEASE, nodeId, LEASE_POLICY)).toBeNull();
          if (request.allowUnhealthy.includes(nodeId)) mended.add(nodeId);
        }
      }
    }),
  );
  expect(started).toBeGreaterThan(50);
});
const LEASE_POLICY = {
  ttlMs: 60_000,
  actWithinMs: 10_000,
  maxActWithinMs: 610_000,
  overdueAfterMs: 600_000,
  retryAfterMs: 5_000,
  epoch: 0,
};
