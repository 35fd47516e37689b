import { expect, test } from "vitest";
import { ADMIN, code, House, must, three } from "./house.ts";
import { buildOf } from "./shelf.ts";

const start = (house: House, more: object = {}) =>
  house.baton.rollouts.start(ADMIN, { selection: { groups: ["db"] }, ...more });

test("a rollout that cannot be is refused by name", async () => {
  await using house = await House.build();
  expect(code(await start(house))).toBe("not-found");
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  expect(code(await start(house))).toBe("no-release");
  house.shelf.put("1.1.0");
  expect(code(await start(house, { release: "7.0.0" }))).toBe("no-release");
  const { id } = must(await start(house));
  expect(await start(house)).toMatchObject({
    ok: false,
    error: { code: "rollout-active", context: { rollout: id } },
  });
  expect(code(await house.baton.nodes.start(ADMIN, a.id, "update", {}))).toBe("in-rollout");
  expect(code(await house.baton.nodes.edit(ADMIN, a.id, { group: "web" }))).toBe("not-found");
  expect(code(await house.baton.groups.edit(ADMIN, "db", { mode: "independent" }))).toBe("rollout-active");
  await house.beats(1, a, b, c);
  must(await house.baton.rollouts.cancel(ADMIN, id));
  must(await start(house));
  must(await house.baton.groups.create(ADMIN, { name: "empty" }));
  expect(code(await house.baton.rollouts.start(ADMIN, { selection: { groups: ["empty"] } }))).toBe(
    "empty-selection",
  );
});

test("a release that has no bundle for one of the nodes is not begun", async () => {
  await using house = await House.build();
  await house.group("db", "quorum", ["a", "b", "c"], "1.0.0");
  house.shelf.put("1.1.0", "linux-arm64");
  expect(await start(house)).toMatchObject({
    ok: false,
    error: { code: "no-build-for-platform", context: { nodes: 3, platform: "linux-x64" } },
  });
  expect(await house.baton.rollouts.list()).toEqual([]);
});

test("a release that every node has quarantined does not become what the group should be on", async () => {
  await using house = await House.build();
  const agents = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  const bad = house.shelf.put("1.1.0");
  const reason = { code: "unhealthy", message: "It failed." };
  const entry = { build: bad, reason, at: 1, provisional: false, by: "guard" } as const;
  for (const agent of agents) agent.holdings = { backup: null, hold: false, quarantine: [entry] };
  await house.beats(1, ...agents);
  expect(must(await start(house)).status).toBe("completed");
  expect(must(await house.baton.nodes.get(agents[0].id))).toMatchObject({ desired: null, behind: false });
});

test("the newest release is the highest version, and no pre-release while there is another", async () => {
  await using house = await House.build();
  await house.group("db", "quorum", ["a", "b", "c"], "1.0.0");
  for (const version of ["1.10.0", "1.9.0", "2.0.0-rc.1"]) house.shelf.put(version);
  expect(must(await start(house)).release).toBe("1.10.0");
});

test("a group of two voters says what it cannot lose, and goes when an outage is accepted", async () => {
  await using house = await House.build();
  const [a, b] = await house.group("db", "quorum", ["a", "b"], "1.0.0");
  if (a === undefined || b === undefined) throw new Error("two agents");
  house.shelf.put("1.1.0");
  expect(await start(house)).toMatchObject({
    ok: false,
    error: { code: "accept-outage-needed", context: { voters: 2 } },
  });
  const { id } = must(await start(house, { acceptOutage: true }));
  await house.beats(1, a, b);
  for (const agent of [a, b]) await agent.prepare();
  await house.beats(1, a, b);
  await a.updateWell([b]);
  await house.beats(1, a, b);
  await b.updateWell([a]);
  expect(must(await house.baton.rollouts.get(id)).status).toBe("completed");
  const entry = (await house.baton.audit.list(100)).find((each) => each.action === "rollout.started");
  expect(entry).toMatchObject({ actor: "operator ada", from: "127.0.0.1", after: { acceptOutage: true } });
});

test("cancelling leaves the node under way to finish and the rest untouched, and says so again", async () => {
  await using house = await House.build();
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.1.0");
  const { id } = must(await start(house));
  await house.beats(1, a, b, c);
  for (const agent of [a, b, c]) await agent.prepare();
  await house.beats(1, a, b, c);
  await a.goDown();
  expect(must(await house.baton.rollouts.cancel(ADMIN, id))).toMatchObject({
    status: "cancelled",
    endedAt: null,
  });
  expect(must(await house.baton.rollouts.cancel(ADMIN, id)).status).toBe("cancelled");
  await house.beats(1, b, c);
  expect([b.orders?.desired, c.orders?.desired]).toEqual([null, null]);
  await a.start(buildOf("1.1.0"));
  await house.beats(2, a, b, c);
  expect(await a.confirm()).toBe(true);
  await house.beats(6, a, b, c);
  const rollout = must(await house.baton.rollouts.get(id));
  expect(rollout.nodes.map((node) => node.status).sort((a, b) => (a < b ? 1 : -1))).toEqual([
    "succeeded",
    "skipped",
    "skipped",
  ]);
  expect(rollout.endedAt).not.toBeNull();
  // Nobody chases the one that was updated back to where the group was.
  expect([a, b, c].map((agent) => agent.orders?.desired)).toEqual([null, null, null]);
  expect(must(await house.baton.nodes.get(a.id)).desired).toBe("1.1.0");
});

test("nodes are skipped with a reason: there already, held, quarantined; unless asked for by name", async () => {
  await using house = await House.build();
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  const bad = house.shelf.put("1.1.0");
  a.runs = bad;
  await a.connect();
  b.holdings = { backup: null, hold: true, quarantine: [] };
  const reason = { code: "unhealthy", message: "It failed." };
  c.holdings = {
    backup: null,
    hold: false,
    quarantine: [{ build: bad, reason, at: 1, provisional: false, by: "guard" }],
  };
  await house.beats(1, a, b, c);
  const rollout = must(await start(house));
  expect(rollout.nodes.map((node) => [node.status, node.reason?.code])).toEqual([
    ["skipped", "already-up-to-date"],
    ["skipped", "held"],
    ["skipped", "quarantined"],
  ]);
  expect(rollout.status).toBe("completed");
  const again = must(await start(house, { retry: true }));
  expect(again.nodes.map((node) => [node.name, node.status])).toEqual([
    ["b", "preparing"],
    ["c", "preparing"],
    ["a", "skipped"],
  ]);
  await house.beats(1, a, b, c);
  expect(b.orders?.desired).toMatchObject({ retry: true, release: "1.1.0" });
});

test("a node that is offline and needed halts a quorum group's rollout, after a while", async () => {
  await using house = await House.build();
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.1.0");
  const { id } = must(await start(house));
  await house.beats(4, a, b);
  for (const agent of [a, b]) await agent.prepare();
  await house.beats(1, a, b);
  expect(a.orders?.waiting?.code).toBe("quorum");
  await house.beats(12, a, b);
  expect(must(await house.baton.rollouts.get(id))).toMatchObject({
    status: "halted",
    reason: { code: "node-offline" },
  });
  await c.connect();
});

test("independent nodes each stand for themselves: one failure of four halts nothing, a second does", async () => {
  await using house = await House.build();
  const agents = await house.group("db", "independent", ["a", "b", "c", "d"], "1.0.0");
  house.shelf.put("1.1.0");
  const policy = { stages: [1], concurrency: 1 };
  const { id } = must(await start(house, { policy }));
  for (const agent of agents) await agent.beat();
  for (const agent of agents) await agent.prepare();
  await house.beats(1, ...agents);
  for (let round = 0; round < 2; round += 1) {
    expect(must(await house.baton.rollouts.get(id)).status).toBe("running");
    const withTurn = agents.filter((each) => each.orders?.turn !== null);
    expect(withTurn).toHaveLength(1);
    const [agent] = withTurn;
    if (agent === undefined) throw new Error("nobody has a turn");
    const token = await agent.goDown();
    await agent.start(buildOf("1.1.0"));
    await agent.goBack(token, buildOf("1.0.0"));
    await house.beats(1, ...agents);
  }
  const rollout = must(await house.baton.rollouts.get(id));
  expect(rollout.nodes.map((node) => node.status).sort((a, b) => (a < b ? 1 : -1))).toEqual([
    "rolled-back",
    "rolled-back",
    "pending",
    "pending",
  ]);
  expect(rollout).toMatchObject({ status: "halted", reason: { code: "failures" } });
});

test("leader last also when leadership moves, and nobody goes while nobody knows the leader", async () => {
  await using house = await House.build();
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  const roles = (...words: ("leader" | "follower")[]) =>
    [a, b, c].forEach((agent, index) => {
      agent.health = { healthy: true, role: words[index] ?? "follower" };
    });
  roles("leader", "follower", "follower");
  house.shelf.put("1.1.0");
  await house.beats(1, a, b, c);
  must(await start(house));
  await house.beats(1, a, b, c);
  for (const agent of [a, b, c]) await agent.prepare();
  await house.beats(1, a, b, c);
  const turns = () =>
    [a, b, c].map((agent) => (agent.orders?.turn === null ? agent.orders.waiting?.code : "turn"));
  expect(turns()).toEqual(["leader-last", "turn", "not-your-turn"]);
  roles("follower", "leader", "follower");
  await house.beats(2, a, b, c);
  expect(turns()).toEqual(["not-your-turn", "leader-last", "turn"]);
  roles("follower", "follower", "follower");
  await house.beats(2, a, b, c);
  expect(turns()).not.toContain("turn");
  expect(c.orders?.waiting?.code).toBe("leader-unknown");
});

test("a rollout takes the place of jobs that have not begun, and waits for one that has", async () => {
  await using house = await House.build();
  const [a, b, c] = three(await house.group("db", "independent", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.1.0");
  const begun = must(await house.baton.nodes.start(ADMIN, a.id, "update", {}));
  const waiting = must(await house.baton.nodes.start(ADMIN, b.id, "update", {}));
  await house.beats(1, a, b, c);
  await a.prepare();
  const token = must(await a.reserve()).token;
  house.shelf.put("1.2.0");
  const { id } = must(await start(house, { policy: { stages: [1] } }));
  expect(must(await house.baton.jobs.get(waiting.id))).toMatchObject({
    status: "cancelled",
    reason: { code: "superseded" },
  });
  await house.beats(1, a, b, c);
  const placed = must(await house.baton.rollouts.get(id)).nodes.find(({ name }) => name === "a");
  expect(placed?.reason?.code).toBe("update-in-progress");
  expect(must(await a.commit(token)).actWithinMs).toBe(10_000);
  await a.start(buildOf("1.1.0"));
  await house.beats(2, a, b, c);
  expect(await a.confirm()).toBe(true);
  expect(must(await house.baton.jobs.get(begun.id)).status).toBe("succeeded");
  await house.beats(1, a, b, c);
  expect(a.orders?.desired?.release).toBe("1.2.0");
});
