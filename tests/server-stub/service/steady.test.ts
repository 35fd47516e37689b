/** Heartbeats that are answered by what was said last: what keeps them so, and what ends it. */
import { expect, test } from "vitest";
import { ADMIN, House, must, three } from "./house.ts";

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

test("what is written of a node, or of its group, is in the very next orders", async () => {
  await using house = await House.build();
  const [a, b] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.1.0");
  for (const agent of [a, b]) agent.attach();
  await house.beats(3, a, b);
  must(await house.baton.nodes.start(ADMIN, a.id, "update", { release: "1.1.0" }));
  a.orders = null;
  await a.beat();
  expect(a.orders).toMatchObject({ desired: { release: "1.1.0" } });
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
