/** What brings a lease back, and what decides that a build is kept. */
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { ADMIN, code, House, must, three } from "./house.ts";
import { buildOf } from "./shelf.ts";
import type { TestAgent } from "./test-agent.ts";

type Three = [TestAgent, TestAgent, TestAgent];

/** Three voters in a rollout to 1.1.0; the first has gone down and is in flight. */
async function inFlight(
  house: House,
): Promise<{ agents: Three; token: number; rolloutId: string; jobId: string }> {
  const agents = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.1.0");
  const { id } = must(await house.baton.rollouts.start(ADMIN, { selection: { groups: ["db"] } }));
  await house.beats(1, ...agents);
  for (const agent of agents) await agent.prepare();
  await house.beats(1, ...agents);
  const jobId = agents[0].orders?.desired?.jobId ?? "";
  return { agents, token: await agents[0].goDown(), rolloutId: id, jobId };
}

const lease = async (house: House) => must(await house.baton.leases.view("db"));
const open = async (house: House) =>
  (await house.baton.alerts.list())
    .filter((alert) => alert.resolvedAt === null)
    .map((alert) => alert.kind)
    .sort();

test("three healthy heartbeats in a row of the new process, and not two", async () => {
  await using house = await House.build();
  const {
    agents: [a, b, c],
  } = await inFlight(house);
  await a.start(buildOf("1.1.0"));
  await house.beats(1, a, b, c);
  expect(a.orders?.confirm).toBeNull();
  a.health = { healthy: false, detail: "warming up" };
  await house.beats(1, a, b, c);
  a.health = { healthy: true, caughtUp: false };
  await house.beats(3, a, b, c);
  expect(a.orders?.confirm).toBeNull();
  a.health = { healthy: true, caughtUp: true };
  await house.beats(1, a, b, c);
  expect(a.orders?.confirm).toMatchObject({ instanceId: a.instanceId });
});

test("the process that committed is never confirmed, however healthy it reports itself", async () => {
  await using house = await House.build();
  const {
    agents: [a, b, c],
  } = await inFlight(house);
  a.runs = buildOf("1.1.0");
  await a.connect();
  await house.beats(5, a, b, c);
  expect(a.orders?.confirm).toBeNull();
});

test("until the word is heard the next node does not go, whatever is lost", async () => {
  await using house = await House.build();
  const {
    agents: [a, b, c],
    token,
  } = await inFlight(house);
  await a.start(buildOf("1.1.0"));
  await house.beats(4, a, b, c);
  expect(a.orders?.confirm).toEqual({ token, instanceId: a.instanceId });
  expect(b.orders?.turn).toBeNull();
  expect(code(await b.reserve())).toBe("not-your-turn");
  const confirming = a.instanceId;
  await a.start(buildOf("1.1.0"));
  expect(await a.confirm()).toBe(false);
  await house.beats(3, a, b, c);
  expect(a.orders?.confirm?.instanceId).not.toBe(confirming);
  expect((await lease(house)).holder).toMatchObject({ token, phase: "in-flight" });
  expect(await a.confirm()).toBe(true);
  expect((await lease(house)).holder).toBeNull();
  await house.beats(1, a, b, c);
  expect(b.orders?.turn).not.toBeNull();
});

test("a coordinator that restarts in the middle of a probation goes on with it", async () => {
  await using house = await House.build();
  const {
    agents: [a, b, c],
    token,
  } = await inFlight(house);
  await house.restart();
  for (const agent of [b, c]) await agent.connect();
  await a.start(buildOf("1.1.0"));
  await house.beats(2, a, b, c);
  expect(a.orders?.confirm).toEqual({ token, instanceId: a.instanceId });
  await house.restart();
  for (const agent of [a, b, c]) await agent.connect();
  expect(a.orders?.confirm).toEqual({ token, instanceId: a.instanceId });
  expect(await a.confirm()).toBe(true);
  expect(await open(house)).toEqual([]);
  await house.beats(1, a, b, c);
  expect(b.orders?.turn).not.toBeNull();
});

test("a node that stays away: its job fails with the reason, the lease stays, grants halt, and it settles when it is back", async () => {
  await using house = await House.build();
  const {
    agents: [a, b, c],
    token,
    rolloutId,
    jobId,
  } = await inFlight(house);
  await house.beats(48, b, c);
  expect(must(await house.baton.jobs.get(jobId))).toMatchObject({
    status: "failed",
    reason: { code: "did-not-reconnect" },
  });
  expect(must(await house.baton.rollouts.get(rolloutId))).toMatchObject({ status: "halted" });
  expect(await lease(house)).toMatchObject({ holder: { token, phase: "in-flight", overdue: true } });
  expect(await open(house)).toEqual([
    "fleet_update_halted",
    "lease_overdue",
    "node_offline",
    "update_failed",
  ]);
  await a.start(buildOf("1.1.0"));
  await house.beats(4, a, b, c);
  expect(a.orders?.confirm).toBeNull();
  await a.goBack(token, buildOf("1.0.0"));
  await house.beats(1, a, b, c);
  expect((await lease(house)).holder).toBeNull();
  expect(must(await house.baton.rollouts.get(rolloutId)).nodes[0]?.status).toBe("rolled-back");
  expect(must(await house.baton.jobs.get(jobId)).reason?.code).toBe("rolled-back");
  expect(await open(house)).toEqual(["fleet_update_halted", "update_failed"]);
});

test("reconnected on the wrong build, and running but unhealthy, are told apart", async () => {
  for (const [runs, healthy, reason] of [
    ["1.0.0", true, "reconnected-on-other-build"],
    ["1.1.0", false, "unhealthy"],
  ] as const) {
    await using house = await House.build();
    const {
      agents: [a, b, c],
      jobId,
    } = await inFlight(house);
    await a.start(buildOf(runs));
    a.health = { healthy };
    await house.beats(48, a, b, c);
    expect(must(await house.baton.jobs.get(jobId))).toMatchObject({
      status: "failed",
      reason: { code: reason },
    });
    expect((await lease(house)).holder).not.toBeNull();
  }
});

test("confirming excludes failing: overdue in confirming only alerts, and the word still returns the lease", async () => {
  await using house = await House.build();
  const {
    agents: [a, b, c],
    jobId,
  } = await inFlight(house);
  await a.start(buildOf("1.1.0"));
  await house.beats(3, a, b, c);
  expect(a.orders?.confirm).not.toBeNull();
  await house.beats(60, b, c);
  expect(must(await house.baton.jobs.get(jobId)).status).toBe("running");
  expect(await open(house)).toEqual(["lease_overdue", "node_offline"]);
  expect(await a.confirm()).toBe(true);
  expect(must(await house.baton.jobs.get(jobId)).status).toBe("succeeded");
  await house.beats(1, a, b, c);
  expect(await open(house)).toEqual([]);
});

test("not-acted gives the turn back to the node, and its word is acknowledged once it is stored", async () => {
  await using house = await House.build();
  const {
    agents: [a, b, c],
    token,
    jobId,
  } = await inFlight(house);
  a.journal = { kind: "idle" };
  a.words = [
    { token, jobId, word: "not-acted", reason: { code: "drain", message: "The drain hook failed." } },
  ];
  a.instanceId = randomUUID();
  await a.connect();
  expect(a.words).toEqual([]);
  expect(must(await house.baton.jobs.get(jobId))).toMatchObject({ status: "running" });
  expect((await lease(house)).holder).toBeNull();
  await a.prepare();
  await house.beats(1, a, b, c);
  expect(a.orders?.turn).not.toBeNull();
  for (let round = 0; round < 4; round += 1) {
    const next = await a.goDown();
    a.journal = { kind: "idle" };
    a.words = [{ token: next, jobId, word: "not-acted", reason: null }];
    await house.beats(1, a, b, c);
    await house.beats(1, a, b, c);
  }
  expect(must(await house.baton.jobs.get(jobId))).toMatchObject({
    status: "failed",
    reason: { code: "not-acted" },
  });
});

test("breaking ends the record and not the budget, until a last word or a new idle process", async () => {
  await using house = await House.build();
  const {
    agents: [a, b, c],
    token,
    rolloutId,
  } = await inFlight(house);
  const ask = { token, reason: "its disk is gone" };
  expect(code(await house.baton.leases.break(ADMIN, "db", ask))).toBe("wrong-state");
  await house.beats(3, b, c);
  expect(code(await house.baton.leases.break(ADMIN, "db", { ...ask, token: 99 }))).toBe("stale-token");
  const broken = must(await house.baton.leases.break(ADMIN, "db", ask));
  expect(broken).toMatchObject({ holder: null, broken: [{ token, reason: "its disk is gone" }], serving: 2 });
  expect(must(await house.baton.leases.break(ADMIN, "db", ask))).toMatchObject({ broken: [{ token }] });
  expect(must(await house.baton.rollouts.get(rolloutId))).toMatchObject({ status: "halted" });
  await house.beats(1, b, c);
  const again = await house.baton.rollouts.start(ADMIN, { selection: { groups: ["db"] } });
  expect(again).toMatchObject({
    ok: false,
    error: { code: "node-offline", context: { node: "a", refused: "online, lease, quorum" } },
  });
  must(await house.baton.nodes.start(ADMIN, b.id, "update", {}));
  await house.beats(1, b, c);
  await b.prepare();
  await house.beats(1, b, c);
  expect(b.orders).toMatchObject({ turn: null, waiting: { code: "quorum" } });
  await a.beat();
  await house.beats(1, a, b, c);
  expect(b.orders?.turn).toBeNull();
  a.journal = { kind: "idle" };
  await a.start(buildOf("1.0.0"));
  await house.beats(1, a, b, c);
  expect([a, b, c].filter((agent) => agent.orders?.turn != null)).toHaveLength(1);
  const entry = (await house.baton.audit.list(100)).find((each) => each.action === "lease.broken");
  expect(entry).toMatchObject({ actor: "operator ada", after: { reason: "its disk is gone" } });
});

test("removing the node in flight ends its lease, and the quorum is another", async () => {
  await using house = await House.build();
  const {
    agents: [a, b, c],
    rolloutId,
  } = await inFlight(house);
  must(await house.baton.nodes.remove(ADMIN, a.id));
  expect(await lease(house)).toMatchObject({ holder: null, broken: [], voters: 2, quorum: 2 });
  await house.beats(1, b, c);
  expect(must(await house.baton.rollouts.get(rolloutId)).nodes[0]).toMatchObject({
    status: "skipped",
    reason: { code: "removed" },
  });
  expect(b.orders?.waiting?.code).toBe("quorum");
});
