/** Rollouts over many groups: stages, pauses, restarts, and what they mean beyond themselves. */
import { expect, test } from "vitest";
import { ADMIN, code, House, must } from "./house.ts";
import { names, rollOut, round } from "./rolling.ts";
import { buildOf } from "./shelf.ts";
import type { TestAgent } from "./test-agent.ts";

const EVERYBODY = { selection: { all: true as const } };

async function threeGroups(house: House): Promise<TestAgent[]> {
  house.shelf.put("1.0.0");
  return [
    ...(await house.group("db", "quorum", ["d1", "d2", "d3"], "1.0.0")),
    ...(await house.group("kv", "quorum", ["k1", "k2", "k3"], "1.0.0")),
    ...(await house.group("web", "independent", ["w1", "w2"], "1.0.0")),
  ];
}

const statusesOf = async (house: House, id: string) =>
  Object.fromEntries(
    must(await house.baton.rollouts.get(id)).nodes.map(({ name, status }) => [name, status]),
  );

test("groups go side by side, as many as may, and never two of one; then all are meant to be there", async () => {
  await using house = await House.build();
  const agents = await threeGroups(house);
  house.shelf.put("1.1.0");
  const policy = { stages: [1], concurrency: 2 };
  const { id } = must(await house.baton.rollouts.start(ADMIN, { ...EVERYBODY, policy }));
  const rounds = await rollOut(house, agents);
  for (const went of rounds) {
    expect(went.length).toBeLessThanOrEqual(2);
    const quorum = went.map((agent) => agent.group).filter((group) => group !== "web");
    expect(new Set(quorum).size).toBe(quorum.length);
  }
  expect(rounds).toHaveLength(4);
  const rollout = must(await house.baton.rollouts.get(id));
  expect(rollout).toMatchObject({ status: "completed", counts: { succeeded: 8 } });
  for (const node of rollout.nodes) expect(node.reason?.code).toBe("updated");
  for (const group of ["db", "kv", "web"]) {
    expect(must(await house.baton.groups.get(group)).desired).toBe("1.1.0");
  }
  // Who joins late is brought there by itself.
  const late = await house.join("web", "w3", "1.0.0");
  await house.beats(2, ...agents, late);
  expect(late.orders?.desired).toMatchObject({ release: "1.1.0", cause: "catch-up" });
  expect(house.logged.filter((line) => line.level === "error")).toEqual([]);
});

test("a coordinator that is restarted goes on in the middle of a stage, and in the middle of a pause", async () => {
  await using house = await House.build();
  house.shelf.put("1.0.0");
  const agents = await house.group("web", "independent", ["a", "b", "c", "d"], "1.0.0");
  house.shelf.put("1.1.0");
  const policy = { stages: [0.5, 1], concurrency: 1, pauseMs: 3_600_000, seed: 3 };
  const { id } = must(await house.baton.rollouts.start(ADMIN, { ...EVERYBODY, policy }));
  const [first] = await round(house, agents);
  await house.restart();
  for (const agent of agents) await agent.connect();
  const [second] = await round(house, agents);
  expect(second).not.toBe(first);
  const paused = must(await house.baton.rollouts.get(id));
  expect(paused).toMatchObject({
    status: "running",
    reason: { code: "stage-pause" },
    stages: [{ status: "done" }, { status: "pending", reason: { code: "stage-pause" } }],
  });

  // Neither a restart nor a wall clock that is set to next week ends the pause.
  house.clock.setWall(house.clock.now() + 7 * 86_400_000);
  await house.baton.tick();
  await house.restart();
  for (const agent of agents) await agent.connect();
  await house.beats(6, ...agents);
  expect(must(await house.baton.rollouts.get(id)).stage).toBe(0);
  for (let minute = 0; minute < 60; minute += 1) {
    house.clock.pass(60_000);
    for (const agent of agents) await agent.beat();
    await house.baton.tick();
  }
  const rounds = await rollOut(house, agents);
  expect(rounds).toHaveLength(2);
  expect(must(await house.baton.rollouts.get(id)).status).toBe("completed");
});

test("a stage that fails takes itself back: every node that it moved, and the alert is over with it", async () => {
  await using house = await House.build();
  const agents = await threeGroups(house);
  const bad = house.shelf.put("1.1.0");
  const policy = { stages: [0.3, 1], concurrency: 2, pauseMs: 0, onFailure: "rollback" as const, seed: 5 };
  const { id } = must(await house.baton.rollouts.start(ADMIN, { ...EVERYBODY, policy }));
  const { nodes } = must(await house.baton.rollouts.get(id));
  const unlucky = nodes.find((node) => node.stage === 1 && node.group !== "web")?.name;
  const open = async () => (await house.baton.alerts.list()).filter((alert) => alert.resolvedAt === null);
  while (must(await house.baton.rollouts.get(id)).status !== "halted") {
    await round(house, agents, (agent) => agent.name === unlucky);
  }
  const halted = must(await house.baton.rollouts.get(id));
  expect(halted.reason?.code).toBe("failures");
  expect((await open()).map((alert) => [alert.kind, alert.subject])).toContainEqual([
    "fleet_update_halted",
    id,
  ]);
  const moved = halted.nodes.filter((node) => node.status === "succeeded").map((node) => node.name);
  expect(moved.length).toBeGreaterThan(2);
  const back = must(await house.baton.rollouts.get(halted.rolledBackBy ?? ""));
  expect(back).toMatchObject({
    kind: "rollback",
    rollbackOf: id,
    startedBy: "coordinator",
    status: "running",
  });
  expect(back.nodes.map((node) => node.name).toSorted()).toEqual(moved.toSorted());
  expect(code(await house.baton.rollouts.retry(ADMIN, id))).toBe("wrong-state");
  expect(code(await house.baton.rollouts.rollback(ADMIN, back.id))).toBe("wrong-state");

  for (const agent of agents)
    if (agent.name === unlucky) agent.holdings = { backup: null, hold: false, quarantine: [] };
  await rollOut(house, agents);
  expect(must(await house.baton.rollouts.get(back.id)).status).toBe("completed");
  for (const agent of agents) expect(agent.runs).not.toEqual(bad);
  expect((await open()).filter((alert) => alert.kind === "fleet_update_halted")).toEqual([]);
  // Nobody is chased to where they were.
  await house.beats(4, ...agents);
  for (const agent of agents) expect(agent.orders?.desired).toBeNull();
});

test("a completed rollout that is taken back is not what its groups should be on any more", async () => {
  await using house = await House.build();
  house.shelf.put("1.0.0");
  const agents = await house.group("web", "independent", ["a", "b"], "1.0.0");
  for (const release of ["1.0.0", "1.1.0"]) {
    house.shelf.put(release);
    must(await house.baton.rollouts.start(ADMIN, { ...EVERYBODY, release, policy: { stages: [1] } }));
    await rollOut(house, agents);
  }
  expect(must(await house.baton.groups.get("web")).desired).toBe("1.1.0");
  const [last] = await house.baton.rollouts.list();
  const back = must(await house.baton.rollouts.rollback(ADMIN, last?.id ?? ""));
  expect(must(await house.baton.rollouts.rollback(ADMIN, last?.id ?? "")).id).toBe(back.id);
  await rollOut(house, agents);
  expect(agents.map((agent) => agent.runs.version)).toEqual(["1.0.0", "1.0.0"]);
  expect(must(await house.baton.groups.get("web")).desired).toBe("1.0.0");
  const late = await house.join("web", "c", "1.1.0");
  await house.beats(2, ...agents, late);
  expect(late.orders?.desired?.release).toBe("1.0.0");
});

test("a selection by label moves its nodes, and nobody else of their group, also later", async () => {
  await using house = await House.build();
  house.shelf.put("1.0.0");
  const agents = await house.group("web", "independent", ["a", "b", "c"], "1.0.0");
  const [a, b] = agents;
  if (a === undefined || b === undefined) throw new Error("three agents");
  must(await house.baton.nodes.edit(ADMIN, a.id, { labels: { tier: "canary" } }));
  house.shelf.put("1.1.0");
  const { id } = must(await house.baton.rollouts.start(ADMIN, { selection: { labels: { tier: "canary" } } }));
  expect(names(await rollOut(house, agents))).toEqual(["a"]);
  expect(must(await house.baton.rollouts.get(id)).status).toBe("completed");
  expect(must(await house.baton.groups.get("web")).desired).toBeNull();
  await house.beats(4, ...agents);
  expect(agents.map((agent) => agent.orders?.desired)).toEqual([null, null, null]);
  // And the one that it moved is meant to stay there.
  a.runs = buildOf("1.0.0");
  await a.connect();
  await house.beats(2, ...agents);
  expect(a.orders?.desired).toMatchObject({ release: "1.1.0", cause: "catch-up" });
});

test("a release that is withdrawn fails the rollout; once it is back, retry goes on", async () => {
  await using house = await House.build();
  house.shelf.put("1.0.0");
  const agents = await house.group("web", "independent", ["a", "b", "c"], "1.0.0");
  house.shelf.put("1.1.0");
  const policy = { stages: [1], concurrency: 1 };
  const { id } = must(await house.baton.rollouts.start(ADMIN, { ...EVERYBODY, policy }));
  await round(house, agents);
  house.shelf.withdraw("1.1.0");
  await house.beats(1, ...agents);
  expect(must(await house.baton.rollouts.get(id))).toMatchObject({
    status: "failed",
    reason: { code: "release-withdrawn" },
  });
  expect(Object.values(await statusesOf(house, id)).toSorted()).toEqual(["pending", "pending", "succeeded"]);
  const alerts = async () => (await house.baton.alerts.list()).filter((alert) => alert.resolvedAt === null);
  expect((await alerts()).map((alert) => alert.kind)).toEqual(["fleet_update_halted"]);
  const resumed = await house.baton.rollouts.resume(ADMIN, id);
  expect(resumed).toMatchObject({ ok: false, error: { code: "wrong-state", context: { state: "failed" } } });
  house.shelf.put("1.1.0");
  must(await house.baton.rollouts.retry(ADMIN, id));
  await rollOut(house, agents);
  expect(must(await house.baton.rollouts.get(id)).status).toBe("completed");
  expect(await alerts()).toEqual([]);
});

test("a rollout at which the coordinator fails again and again is failed, and holds up no other", async () => {
  await using house = await House.build();
  house.shelf.put("1.0.0");
  const [a] = await house.group("web", "independent", ["a"], "1.0.0");
  const [b] = await house.group("app", "independent", ["b"], "1.0.0");
  if (a === undefined || b === undefined) throw new Error("two agents");
  house.shelf.put("1.1.0");
  const start = (group: string) => house.baton.rollouts.start(ADMIN, { selection: { groups: [group] } });
  const poisoned = must(await start("web")).id;
  const sound = must(await start("app")).id;
  await house.beats(1, a, b);
  for (const agent of [a, b]) await agent.prepare();
  await house.beats(1, a, b);
  const read = house.store.rollout.bind(house.store);
  let left = 10;
  house.store.rollout = (id) => {
    if (id !== poisoned || left === 0) return read(id);
    left -= 1;
    return Promise.reject(new Error("this cannot be"));
  };
  for (let tick = 0; tick < 10; tick += 1) {
    expect(must(await house.baton.rollouts.get(sound)).status).toBe("running");
    house.clock.pass(1_000);
    await house.baton.tick();
  }
  expect(must(await house.baton.rollouts.get(poisoned))).toMatchObject({
    status: "failed",
    reason: { code: "engine-fault", message: expect.stringContaining("this cannot be") },
    nodes: [{ status: "pending", jobId: null }],
  });
  await a.beat();
  expect(a.orders?.desired).toBeNull();
  must(await house.baton.rollouts.retry(ADMIN, poisoned));
  await rollOut(house, [a, b]);
  for (const id of [poisoned, sound])
    expect(must(await house.baton.rollouts.get(id)).status).toBe("completed");
});

test("a node that went to another group meanwhile is not taken along by a retry", async () => {
  await using house = await House.build();
  house.shelf.put("1.0.0");
  const agents = await house.group("db", "quorum", ["a", "b", "c", "d"], "1.0.0");
  must(await house.baton.groups.create(ADMIN, { name: "other" }));
  house.shelf.put("1.1.0");
  const { id } = must(await house.baton.rollouts.start(ADMIN, EVERYBODY));
  await round(house, agents, () => true);
  const moving = agents.find((agent) => agent.holdings.quarantine.length === 0);
  if (moving === undefined) throw new Error("everybody failed");
  expect(must(await house.baton.rollouts.get(id)).status).toBe("halted");
  must(await house.baton.nodes.edit(ADMIN, moving.id, { group: "other" }));
  const again = must(await house.baton.rollouts.retry(ADMIN, id));
  expect(again.nodes.find((node) => node.name === moving.name)).toMatchObject({
    status: "skipped",
    reason: { code: "moved", message: "It is in group other now, and not in db any more." },
  });
});

test("of two that begin with the same nodes at the same moment one is refused", async () => {
  await using house = await House.build();
  house.shelf.put("1.0.0");
  const agents = await house.group("web", "independent", ["a", "b"], "1.0.0");
  house.shelf.put("1.1.0");
  const { id } = must(await house.baton.rollouts.start(ADMIN, { ...EVERYBODY, policy: { threshold: 0 } }));
  await round(house, agents, () => true);
  expect(must(await house.baton.rollouts.get(id)).status).toBe("halted");
  const both = await Promise.all([
    house.baton.rollouts.retry(ADMIN, id),
    house.baton.rollouts.start(ADMIN, { ...EVERYBODY, retry: true }),
  ]);
  expect(both.map(code).toSorted()).toEqual(["", "rollout-active"]);
});

test("rolling back what has moved nobody is refused, and the rollout goes on", async () => {
  await using house = await House.build();
  house.shelf.put("1.0.0");
  const agents = await house.group("web", "independent", ["a", "b"], "1.0.0");
  house.shelf.put("1.1.0");
  const { id } = must(await house.baton.rollouts.start(ADMIN, EVERYBODY));
  await house.beats(1, ...agents);
  expect(code(await house.baton.rollouts.rollback(ADMIN, id))).toBe("wrong-state");
  // Also while somebody has its turn and has not used it: nothing was cancelled for that.
  for (const agent of agents) await agent.prepare();
  await house.beats(1, ...agents);
  expect(Object.values(await statusesOf(house, id))).toContain("updating");
  expect(code(await house.baton.rollouts.rollback(ADMIN, id))).toBe("wrong-state");
  expect(must(await house.baton.rollouts.get(id)).status).toBe("running");
});
