/** What follows from what a node said, and who waits for it. */
import { expect, test } from "vitest";
import { afterLines } from "../../../server-stub/service/orders.ts";
import { ADMIN, House, must, three } from "./house.ts";

/** Holds every look at rollouts up until it is let go, and counts them. */
function holdLooks(house: House): { readonly letGo: () => void; readonly count: () => number } {
  const { store } = house;
  const unfinished = store.unfinishedRollouts.bind(store);
  const gate = Promise.withResolvers<void>();
  let count = 0;
  store.unfinishedRollouts = async (group) => {
    count += 1;
    await gate.promise;
    return unfinished(group);
  };
  return { letGo: gate.resolve, count: () => count };
}

test("who is pushed to is answered before its rollouts are looked at, and nodes of one group are followed up together", async () => {
  await using house = await House.build();
  const agents = three(await house.group("web", "independent", ["a", "b", "c"], "1.0.0"));
  for (const agent of agents) agent.attach();
  await house.settle();
  const looks = holdLooks(house);
  for (const agent of agents) {
    agent.health = { healthy: false };
    const seq = agent.orders?.seq ?? 0;
    await agent.beat();
    expect(agent.orders?.seq).toBeGreaterThan(seq);
  }
  looks.letGo();
  await house.settle();
  // One for who spoke first, and one for both that spoke while it was under way.
  expect(looks.count()).toBe(2);
});

test("who is not pushed to is answered when all has been done that follows from what it said", async () => {
  await using house = await House.build();
  const [a] = three(await house.group("web", "independent", ["a", "b", "c"], "1.0.0"));
  await house.settle();
  const looks = holdLooks(house);
  a.health = { healthy: false };
  let isAnswered = false;
  const beat = a.beat().then(() => {
    isAnswered = true;
  });
  await new Promise(setImmediate);
  expect(isAnswered).toBe(false);
  looks.letGo();
  await beat;
  expect(isAnswered).toBe(true);
});

test("who waits for a node that is well again is told, although its group's rollouts could not be looked at", async () => {
  await using house = await House.build();
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.1.0");
  for (const agent of [a, b, c]) agent.attach();
  c.health = { healthy: false };
  await house.beats(2, a, b, c);
  must(await house.baton.nodes.start(ADMIN, b.id, "update", { release: "1.1.0" }));
  await b.beat();
  await b.prepare();
  await house.settle();
  expect(b.orders).toMatchObject({ turn: null, waiting: { code: "quorum" } });
  const { store } = house;
  const unfinished = store.unfinishedRollouts.bind(store);
  let fails = true;
  store.unfinishedRollouts = async (group) => {
    if (fails && group === "db") {
      fails = false;
      throw new Error("the disk is full");
    }
    return unfinished(group);
  };
  c.health = { healthy: true };
  await c.beat();
  await house.settle();
  expect(fails).toBe(false);
  expect(b.orders).toMatchObject({ waiting: null });
});

test("of more logs than orders name, those that came last are named after each of their lines", () => {
  const ids = Array.from({ length: 40 }, (_, at) => `j-${at}`);
  const live = new Map<string, number>();
  let orders = afterLines(
    { desired: null, turn: null, waiting: null, confirm: null, acknowledged: [], logNext: [] },
    live,
  );
  for (const id of ids) {
    for (const next of [1, 2, 3]) {
      live.set(id, next);
      orders = afterLines(orders, live);
      expect(orders.logNext.at(-1)).toEqual({ jobId: id, index: next });
    }
  }
  expect(orders.logNext.map(({ jobId }) => jobId)).toEqual(ids.slice(-16));
});
