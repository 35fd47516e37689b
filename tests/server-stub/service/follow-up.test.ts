/** What follows from what a node said, and who waits for it. */
import { expect, test } from "vitest";
import { House, three } from "./house.ts";

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
