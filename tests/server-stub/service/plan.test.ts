import { describe, expect, test } from "vitest";
import type { RolloutPlan } from "../../../protocol/plan.ts";
import type { StartRolloutRequest } from "../../../protocol/rollout.ts";
import { ADMIN, code, House, must, three } from "./house.ts";
import { buildOf } from "./shelf.ts";

const DB: StartRolloutRequest = { selection: { groups: ["db"] } };

const plan = async (house: House, more: Partial<StartRolloutRequest> = {}): Promise<RolloutPlan> =>
  must(await house.baton.rollouts.plan({ ...DB, ...more }));

const start = (house: House, more: Partial<StartRolloutRequest> = {}) =>
  house.baton.rollouts.start(ADMIN, { ...DB, ...more });

async function threeVoters(house: House) {
  const agents = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.0.0");
  house.shelf.put("1.1.0");
  return agents;
}

test("a dry run says what a start then does, and changes nothing", async () => {
  await using house = await House.build();
  const [a, b, c] = await threeVoters(house);
  a.health = { healthy: true, role: "leader" };
  for (const agent of [b, c]) agent.health = { healthy: true, role: "follower" };
  c.holdings = { backup: null, hold: true, quarantine: [] };
  await house.beats(1, a, b, c);
  const writes = house.countWrites();
  const planned = await plan(house);
  expect(writes()).toBe(0);
  expect(planned).toMatchObject({ release: "1.1.0", startable: true, estimate: null });
  expect(planned.nodes.map(({ name }) => name)).toEqual(["b", "a"]);
  expect(planned.skips.map(({ name, reason }) => [name, reason.code])).toEqual([["c", "held"]]);

  const rollout = must(await start(house, { planHash: planned.hash }));
  expect(rollout.planHash).toBe(planned.hash);
  expect(rollout.policy).toEqual(planned.policy);
  expect(rollout.nodes.map(({ name, status }) => [name, status])).toEqual([
    ["b", "preparing"],
    ["a", "preparing"],
    ["c", "skipped"],
  ]);
  expect(rollout.stages.map(({ nodes }) => nodes)).toEqual(planned.stages.map(({ nodes }) => nodes));
  expect(rollout.budget).toEqual({ failed: 0, allowed: 0 });
  const [entry] = await house.baton.audit.list(1, { action: "rollout.started" });
  expect(entry).toMatchObject({ after: { planHash: planned.hash, agreed: true, allowUnhealthy: [] } });
});

describe("a plan that was agreed to and is another by now", () => {
  const agreedThen = async (meanwhile: (house: House) => Promise<unknown>) => {
    await using house = await House.build();
    const agents = await threeVoters(house);
    for (const agent of agents)
      agent.health = { healthy: true, role: agent.name === "a" ? "leader" : "follower" };
    await house.beats(1, ...agents);
    const { hash } = await plan(house);
    await meanwhile(house);
    for (const agent of agents) await agent.beat();
    const started = await start(house, { planHash: hash });
    const now = await plan(house);
    return { started, same: now.hash === hash, hash: now.hash };
  };

  test.each<[string, string, (house: House) => Promise<unknown>]>([
    ["a node joins", "d joined db", (house) => house.join("db", "d", "1.0.0")],
    [
      "a voter loses its vote",
      "c is no voter any more",
      async (house) => {
        const c = (await house.baton.nodes.list({})).find(({ name }) => name === "c");
        must(await house.baton.nodes.edit(ADMIN, c?.id ?? "", { voter: false }));
      },
    ],
    [
      "the fleet's policy is edited",
      "concurrency is 2, and was 5",
      (house) => house.baton.policy.edit(ADMIN, { rollout: { concurrency: 2 } }),
    ],
    [
      "a newer release comes",
      "the release is 1.2.0, and was 1.1.0",
      async (house) => house.shelf.put("1.2.0"),
    ],
  ])("%s", async (_, difference, meanwhile) => {
    const { started, same, hash } = await agreedThen(meanwhile);
    expect(same).toBe(false);
    expect(started).toMatchObject({
      ok: false,
      error: { code: "plan-changed", context: { planHash: hash } },
    });
    expect(started.ok ? "" : started.error.message).toContain(difference);
  });

  test("a node is held, and leadership moves: both are told", async () => {
    await using house = await House.build();
    const [a, b, c] = await threeVoters(house);
    const lead = (leader: string) => {
      for (const agent of [a, b, c])
        agent.health = { healthy: true, role: agent.name === leader ? "leader" : "follower" };
    };
    lead("a");
    await house.beats(1, a, b, c);
    const first = await plan(house);
    lead("b");
    await house.beats(1, a, b, c);
    const moved = await start(house, { planHash: first.hash });
    expect(moved.ok ? "" : moved.error.message).toBe(
      "What was planned is no longer what would be done: the order is another: a goes where b was to go. Nothing was begun.",
    );
    lead("a");
    c.holdings = { backup: null, hold: true, quarantine: [] };
    await house.beats(1, a, b, c);
    const held = await start(house, { planHash: first.hash });
    expect(held.ok ? "" : held.error.message).toContain(": c is left out now: held.");
    c.holdings = { backup: null, hold: false, quarantine: [] };
    await house.beats(1, a, b, c);
    must(await start(house, { planHash: first.hash }));
  });

  test("nobody knows the plan any more: it is still refused, with the hash of now", async () => {
    await using house = await House.build();
    const agents = await threeVoters(house);
    const { hash } = await plan(house);
    const never = await start(house, { planHash: "0".repeat(64) });
    expect(never).toMatchObject({
      ok: false,
      error: { code: "plan-changed", context: { planHash: hash, known: false } },
    });
    await house.restart();
    for (const agent of agents) await agent.connect();
    must(await start(house, { planHash: hash }));
  });
});

test("of two starts at once one begins, and the other is told of it", async () => {
  await using house = await House.build();
  await threeVoters(house);
  const { hash } = await plan(house);
  const both = await Promise.all([start(house, { planHash: hash }), start(house, { planHash: hash })]);
  expect(both.filter(({ ok }) => ok)).toHaveLength(1);
  expect(both.map(code).sort()).toEqual(["", "rollout-active"]);
  expect(await house.baton.rollouts.list()).toHaveLength(1);
});

test("somebody of a quorum group is away or ill: refused with all that refuses, and begun where it is named", async () => {
  await using house = await House.build();
  const [a, b, c] = await threeVoters(house);
  b.health = { healthy: false };
  await house.beats(1, a, b, c);
  const refused = await start(house);
  expect(refused).toMatchObject({
    ok: false,
    error: {
      code: "node-unhealthy",
      context: { check: "healthy", node: "b", group: "db", refused: "healthy, quorum" },
    },
  });
  expect(await plan(house)).toMatchObject({ startable: false });
  expect(code(await start(house, { allowUnhealthy: ["nobody"] }))).toBe("not-found");

  const rollout = must(await start(house, { allowUnhealthy: ["b"] }));
  expect(rollout).toMatchObject({ allowUnhealthy: [b.id] });
  expect(rollout.nodes.map(({ name }) => name)).toEqual(["b", "a", "c"]);
  await house.beats(1, a, b, c);
  for (const agent of [a, c]) await agent.prepare();
  await house.beats(1, a, b, c);
  // The others are ready first, and wait: without it the group could spare none of them.
  expect(a.orders).toMatchObject({
    turn: null,
    waiting: { message: "It waits for b, which was ill and goes first." },
  });
  await b.prepare();
  await house.beats(1, a, b, c);
  b.health = { healthy: true };
  await b.updateWell([a, c]);
  await house.beats(1, a, b, c);
  for (const agent of [a, c]) {
    await agent.updateWell([a, b, c].filter((other) => other !== agent));
    await house.beats(1, a, b, c);
  }
  expect(must(await house.baton.rollouts.get(rollout.id)).status).toBe("completed");
});

test("how long it takes is told by what updates took, and the end moves with the rollout", async () => {
  await using house = await House.build();
  const [a, b, c] = await threeVoters(house);
  const first = must(await start(house, { policy: { stages: [1] } }));
  expect(first.estimatedEnd).toBeNull();
  await house.beats(1, a, b, c);
  for (const agent of [a, b, c]) await agent.prepare();
  await house.beats(1, a, b, c);
  for (const agent of [a, b, c]) {
    await agent.updateWell([a, b, c].filter((other) => other !== agent));
    await house.beats(1, a, b, c);
  }
  house.shelf.put("1.2.0");
  const { estimate, hash } = await plan(house, { policy: { stages: [1] } });
  if (estimate === null) throw new Error("nothing is known of what updates took");
  expect(estimate).toMatchObject({ jobs: 3, totalMs: 3 * estimate.perNodeMs });
  expect(estimate.perNodeMs).toBeGreaterThan(0);
  const { id, estimatedEnd } = must(await start(house, { planHash: hash, policy: { stages: [1] } }));
  expect(estimatedEnd).toBe(house.clock.now() + estimate.totalMs);
  const endOf = async () => must(await house.baton.rollouts.get(id)).estimatedEnd;
  await house.beats(1, a, b, c);
  for (const agent of [a, b, c]) await agent.prepare();
  await house.beats(1, a, b, c);
  await a.updateWell([b, c]);
  const endedAt = must(await house.baton.rollouts.get(id)).nodes[0]?.endedAt ?? 0;
  expect(await endOf()).toBe(Math.max(house.clock.now(), endedAt + 2 * estimate.perNodeMs));
  await house.beats(40, a, b, c);
  expect(await endOf()).toBe(house.clock.now());
  const [listed] = await house.baton.rollouts.list();
  expect(listed?.estimatedEnd).toBe(await endOf());
});

test("windows, freezes and channels are in the plan", async () => {
  await using house = await House.build();
  await threeVoters(house);
  must(await house.baton.policy.freeze(ADMIN, { reason: "quarter end" }));
  const frozen = (await plan(house)).checks.find(({ check }) => check === "window");
  expect(frozen).toMatchObject({ outcome: "warned", code: "paused" });
  expect(frozen?.message).toContain("quarter end");
  must(await house.baton.channels.put(ADMIN, "stable", {}));
  must(await house.baton.channels.promote(ADMIN, "stable", { release: "1.1.0" }));
  must(await house.baton.groups.edit(ADMIN, "db", { channel: "stable" }));
  house.shelf.put("1.2.0");
  expect((await plan(house)).release).toBe("1.2.0");
  expect((await plan(house, { selection: { channel: "stable" } })).release).toBe("1.1.0");
});

test("what cannot be planned has a code of its own", async () => {
  await using house = await House.build();
  const [a] = await threeVoters(house);
  const refusal = async (more: Partial<StartRolloutRequest>) => {
    const [planned, started] = [
      await house.baton.rollouts.plan({ ...DB, ...more }),
      await start(house, more),
    ];
    expect(code(started)).toBe(code(planned));
    return code(planned);
  };
  expect(await refusal({ selection: { groups: ["nobody"] } })).toBe("not-found");
  expect(await refusal({ selection: { nodes: ["a", "nobody"] } })).toBe("not-found");
  expect(await refusal({ selection: { channel: "none" } })).toBe("not-found");
  expect(await refusal({ selection: {} })).toBe("empty-selection");
  expect(await refusal({ selection: { labels: { rack: "9" } } })).toBe("empty-selection");
  expect(await refusal({ release: "9.9.9" })).toBe("no-release");
  expect(await refusal({ policy: { stages: [0.5, 0.1, 1] } })).toBe("stages-out-of-order");
  expect(await refusal({ policy: { stages: [0.5] } })).toBe("stages-out-of-order");
  expect(await refusal({ policy: { stages: [1.5] } })).toBe("stages-out-of-order");
  expect(await refusal({ policy: { threshold: 1.5 } })).toBe("threshold-out-of-range");
  expect(await refusal({ policy: { threshold: -0.1 } })).toBe("threshold-out-of-range");
  a.runs = buildOf("1.1.0");
  await a.connect();
  expect(code(await start(house, { selection: { nodes: ["a"] } }))).toBe("already-up-to-date");
});
