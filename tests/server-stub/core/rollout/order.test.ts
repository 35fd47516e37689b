/** The order of a rollout: a permutation of whole groups, cut into cumulative stages, the same from the same seed. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Role } from "../../../../protocol/health.ts";
import { orderNodes } from "../../../../server-stub/core/rollout/order.ts";

const member = fc.record({ role: fc.constantFrom<Role | null>("leader", "follower", null) });
const group = fc.record({ quorum: fc.boolean(), members: fc.array(member, { minLength: 1, maxLength: 6 }) });
const shares = fc
  .uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 4 })
  .map((cuts) => [...cuts.toSorted((a, b) => a - b), 100].map((cut) => cut / 100));
const asked = fc.record({
  groups: fc.array(group, { minLength: 1, maxLength: 12 }),
  seed: fc.nat({ max: 4_294_967_295 }),
  stages: shares,
});
type Asked = typeof asked extends fc.Arbitrary<infer T> ? T : never;

function fleetOf({ groups }: Asked) {
  const nodes = groups.flatMap(({ members }, at) =>
    members.map(({ role }, index) => ({
      nodeId: `n-${at}-${index}`,
      name: `x${at}-${index}`,
      group: `g${at}`,
      role,
    })),
  );
  const quorum = groups.flatMap((each, at) => (each.quorum ? [`g${at}`] : []));
  return { nodes, quorum };
}

describe("whatever the groups, the seed and the shares are", () => {
  const holds = (check: (it: Asked) => void) =>
    fc.assert(fc.property(asked, check), { numRuns: 300, seed: 11 });

  test("everybody is in it once, in a stage that is there", () =>
    holds((it) => {
      const { nodes, quorum } = fleetOf(it);
      const ordered = orderNodes(nodes, quorum, it);
      expect(ordered.nodes.map(({ node }) => node.nodeId).toSorted()).toEqual(
        nodes.map(({ nodeId }) => nodeId).toSorted(),
      );
      ordered.stages.forEach((stage, at) => {
        expect(ordered.nodes.filter((each) => each.stage === at)).toHaveLength(stage.nodes);
        expect(stage.nodes).toBeGreaterThan(0);
      });
      expect(ordered.stages.at(-1)?.share).toBe(1);
    }));

  test("a quorum group stays together, in one stage, its leaders last", () =>
    holds((it) => {
      const { nodes, quorum } = fleetOf(it);
      const ordered = orderNodes(nodes, quorum, it).nodes;
      for (const name of quorum) {
        const places = [...ordered.entries()].filter(([, { node }]) => node.group === name);
        const [[first] = [0]] = places;
        expect(places.map(([place]) => place - first)).toEqual(places.map((_, index) => index));
        expect(new Set(places.map(([, { stage }]) => stage)).size).toBe(1);
        const leaders = places.map(([, { node }]) => node.role === "leader");
        expect(leaders).toEqual(leaders.toSorted((a, b) => Number(a) - Number(b)));
      }
    }));

  test("it is the same in whatever order the nodes come", () =>
    holds((it) => {
      const { nodes, quorum } = fleetOf(it);
      expect(orderNodes(nodes.toReversed(), quorum.toReversed(), it)).toEqual(orderNodes(nodes, quorum, it));
    }));

  test("stages are cut as a person would, counting on fingers", () =>
    holds((it) => {
      const { nodes, quorum } = fleetOf(it);
      const ordered = orderNodes(nodes, quorum, it);
      expect(ordered.nodes.map(({ stage }) => stage)).toEqual(fingers(ordered.nodes, quorum, it.stages));
    }));

  test("a stage says the largest share that is reached with it", () =>
    holds((it) => {
      const { nodes, quorum } = fleetOf(it);
      const { stages } = orderNodes(nodes, quorum, it);
      let reached = 0;
      for (const { share, nodes: added } of stages) {
        reached += added;
        const percents = it.stages.map((asked) => Math.round(asked * 100));
        const most = percents.findLast((percent) => percent * nodes.length <= reached * 100);
        expect(Math.round(share * 100)).toBe(most);
      }
    }));
});

/** Goes from group to group, and looks each time how many percent are reached. */
function fingers(
  nodes: readonly { readonly node: { readonly group: string; readonly nodeId: string } }[],
  quorum: readonly string[],
  shares: readonly number[],
): number[] {
  const percents = shares.map((share) => Math.round(share * 100));
  const raw: number[] = [];
  let unit = "";
  for (const { node } of nodes) {
    const own = quorum.includes(node.group) ? node.group : node.nodeId;
    const isNew = own !== unit;
    unit = own;
    const done = raw.length;
    const due = percents.findIndex((percent) => done * 100 < percent * nodes.length || done === 0);
    raw.push(isNew ? due : (raw.at(-1) ?? 0));
  }
  const used = [...new Set(raw)];
  return raw.map((stage) => used.indexOf(stage));
}

test.each([
  { nodes: 10, stages: [0.1, 0.5, 1], sizes: [1, 4, 5] },
  { nodes: 1, stages: [0.1, 0.5, 1], sizes: [1] },
  { nodes: 2, stages: [0.1, 0.5, 1], sizes: [1, 1] },
  { nodes: 3, stages: [0.1, 0.5, 1], sizes: [1, 1, 1] },
  { nodes: 100, stages: [0.01, 0.07, 0.29, 1], sizes: [1, 6, 22, 71] },
  { nodes: 10_000, stages: [0.1, 0.5, 1], sizes: [1000, 4000, 5000] },
])("$nodes nodes that stand for themselves, at $stages, are $sizes", ({ nodes, stages, sizes }) => {
  const all = Array.from({ length: nodes }, (_, at) => ({
    nodeId: `n-${at}`,
    name: `x${at}`,
    group: "web",
    role: null,
  }));
  expect(orderNodes(all, [], { seed: 1, stages }).stages.map((stage) => stage.nodes)).toEqual(sizes);
});

test.each([
  { groups: 1, of: 3, stages: [0.1, 0.5, 1], shares: [1] },
  { groups: 2, of: 5, stages: [0.1, 0.5, 1], shares: [0.5, 1] },
  { groups: 4, of: 3, stages: [0.1, 0.2, 0.3, 0.6, 1], shares: [0.2, 0.3, 0.6, 1] },
])("$groups groups of $of at $stages say that they reach $shares", ({ groups, of, stages, shares: said }) => {
  const names = Array.from({ length: groups }, (_, at) => `g${at}`);
  const all = names.flatMap((name) =>
    Array.from({ length: of }, (_, at) => ({
      nodeId: `n-${name}-${at}`,
      name: `${name}n${at}`,
      group: name,
      role: null,
    })),
  );
  const ordered = orderNodes(all, names, { seed: 1, stages });
  expect(ordered.stages.map((stage) => stage.share)).toEqual(said);
});

test("the order of a seed is fixed for good: a plan that was agreed to is still that plan tomorrow", () => {
  const nodes = "abcdefgh".split("").map((name) => ({ nodeId: `n-${name}`, name, group: name, role: null }));
  const order = (seed: number) =>
    orderNodes(nodes, [], { seed, stages: [1] })
      .nodes.map(({ node }) => node.name)
      .join("");
  expect([order(0), order(1), order(4_294_967_295)]).toEqual(["ehdfgbac", "cbghedaf", "acgdfebh"]);
});
