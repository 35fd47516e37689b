/** Heartbeats that are answered by what was said last: what keeps them so, and what ends it. */
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Heartbeat } from "../../../protocol/frames.ts";
import { ADMIN, House, must, three } from "./house.ts";
import type { TestAgent } from "./test-agent.ts";

/** How often a node is read of the store since. */
function countReads(house: House): () => number {
  const { store } = house;
  const read = store.node.bind(store);
  let count = 0;
  store.node = (id) => {
    count += 1;
    return read(id);
  };
  return () => count;
}

test("in a session over WebSocket a heartbeat that says nothing new reads nothing, and is answered all the same", async () => {
  await using house = await House.build();
  const agents = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  for (const agent of agents) agent.attach();
  await house.beats(2, ...agents);
  const reads = countReads(house);
  const [a] = agents;
  const before = a.orders?.seq ?? 0;
  for (let beats = 1; beats <= 3; beats += 1) await a.beat();
  expect(reads()).toBe(0);
  expect(a.orders).toMatchObject({ seq: before + 3, desired: null });
  expect(must(await house.baton.nodes.get(a.id)).presence).toBe("online");
  a.health = { healthy: false };
  await a.beat();
  expect(reads()).toBeGreaterThan(0);
  expect(must(await house.baton.nodes.get(a.id)).health?.healthy).toBe(false);
});

test("what is written of a node, or of how its group is set up, is in the very next orders", async () => {
  await using house = await House.build();
  const [a, b] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.1.0");
  for (const agent of [a, b]) agent.attach();
  await house.beats(3, a, b);
  must(await house.baton.nodes.start(ADMIN, a.id, "update", { release: "1.1.0" }));
  a.orders = null;
  await a.beat();
  expect(a.orders).toMatchObject({ desired: { release: "1.1.0" } });
  must(await house.baton.groups.edit(ADMIN, "db", { spare: 1 }));
  await house.settle();
  const reads = countReads(house);
  await b.beat();
  expect(reads()).toBeGreaterThan(0);
});

test("it does not last: without any news all of it is looked at again", async () => {
  await using house = await House.build();
  const [a] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  a.attach();
  await house.beats(1, a);
  const reads = countReads(house);
  for (let beats = 0; beats < 121; beats += 1) {
    house.clock.pass(5_000);
    await a.beat();
  }
  expect(reads()).toBeGreaterThan(0);
});

test("what is said again in the same words is answered at once, and only then", async () => {
  await using house = await House.build();
  const [a, b] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.1.0");
  for (const agent of [a, b]) agent.attach();
  const { sessions } = house.baton;
  const said = await sayTwice(house, a);
  const reads = countReads(house);
  const seq = said.seq + 1;
  const orders = JSON.parse(sessions.again(a.id, said, seq, FROM) ?? "null") as unknown;
  expect(orders).toMatchObject({
    type: "orders",
    session: said.session,
    seq: expect.any(Number),
    desired: null,
  });
  expect(reads()).toBe(0);
  expect(sessions.again(a.id, said, seq, FROM), "its number has counted").toBeNull();
  expect(sessions.again(a.id, said, seq + 1, "10.0.0.2"), "it comes from elsewhere").toBeNull();
  const ill = { ...said, health: { healthy: false } };
  expect(sessions.again(a.id, ill, seq + 1, FROM), "it is ill now").toBeNull();
  const elsewhere = { ...said, session: "0".repeat(32) };
  expect(sessions.again(a.id, elsewhere, seq + 1, FROM), "it is another session").toBeNull();

  const busy = sessions.receive(a.id, [{ ...said, seq: seq + 1 }], FROM);
  expect(sessions.again(a.id, said, seq + 2, FROM), "another frame is being taken").toBeNull();
  await busy;
  await setImmediate();
  expect(sessions.again(a.id, said, seq + 2, FROM)).not.toBeNull();
  must(await house.baton.nodes.start(ADMIN, a.id, "update", { release: "1.1.0" }));
  expect(sessions.again(a.id, said, seq + 3, FROM), "there is news for it").toBeNull();
});

test("it counts as heard: who says the same again and again is there", async () => {
  await using house = await House.build();
  const [a] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  a.attach();
  const said = await sayTwice(house, a);
  let again = 0;
  for (let seq = said.seq + 1; seq <= said.seq + 20; seq += 1) {
    house.clock.pass(5_000);
    // That the others of its group are not there becomes known meanwhile, and is to be looked at.
    if (house.baton.sessions.again(a.id, said, seq, FROM) !== null) again += 1;
    else await house.baton.sessions.receive(a.id, [{ ...said, seq }], FROM);
    await house.baton.tick();
    expect(must(await house.baton.nodes.get(a.id))).toMatchObject({ presence: "online" });
  }
  expect(again).toBeGreaterThan(10);
});

test("what is written of others in its group leaves it alone for two heartbeats, and not for longer", async () => {
  await using house = await House.build();
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.1.0");
  for (const agent of [a, b, c]) agent.attach();
  await house.beats(3, a, b, c);
  must(await house.baton.nodes.start(ADMIN, a.id, "update", { release: "1.1.0" }));
  await a.beat();
  await house.settle();
  await a.prepare();
  await a.goDown();
  await house.settle();
  const reads = countReads(house);
  await b.beat();
  expect(reads()).toBe(0);
  house.clock.pass(10_000);
  await b.beat();
  expect(reads()).toBeGreaterThan(0);
});

test("lines of a log are answered by which are wanted next, and nothing else is worked out for them", async () => {
  await using house = await House.build();
  const [a] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.1.0");
  a.attach();
  await house.beats(2, a);
  must(await house.baton.nodes.start(ADMIN, a.id, "update", { release: "1.1.0" }));
  await a.beat();
  await house.settle();
  const jobId = a.orders?.desired?.jobId ?? "";
  const line = { at: house.clock.now(), source: "agent", step: "prepare", text: "It fetches." } as const;
  const reads = countReads(house);
  await a.send({ type: "log", jobId, lines: [0, 1].map((index) => ({ index, ...line })) });
  expect(reads()).toBe(0);
  expect(a.orders).toMatchObject({ desired: { jobId }, logNext: [{ jobId, index: 2 }] });
});

const FROM = "10.0.0.1";

/** The first writes where it came from; the second rests on nothing but what is stored. Answers the second. */
async function sayTwice(house: House, agent: TestAgent): Promise<Heartbeat> {
  await house.baton.sessions.receive(agent.id, [agent.heartbeat], FROM);
  const said = agent.heartbeat;
  await house.baton.sessions.receive(agent.id, [said], FROM);
  await setImmediate();
  return said;
}
