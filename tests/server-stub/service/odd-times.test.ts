/** What comes at a bad time: restores, retries of what is over, and looks between two writes that belong together. */
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { ADMIN, code, House, must } from "./house.ts";
import { buildOf } from "./shelf.ts";
import type { TestAgent } from "./test-agent.ts";

const web = (release: string, more: object = {}) => ({ selection: { groups: ["web"] }, release, ...more });

async function two(house: House): Promise<[TestAgent, TestAgent]> {
  for (const version of ["1.0.0", "1.1.0", "1.2.0"]) house.shelf.put(version);
  const [a, b] = await house.group("web", "independent", ["a", "b"], "1.0.0");
  if (a === undefined || b === undefined) throw new Error("there are not two agents");
  return [a, b];
}

/** Everybody prepares, goes down and comes back for good, at the same time. */
async function allWell(house: House, ...agents: readonly TestAgent[]): Promise<void> {
  await house.beats(1, ...agents);
  for (const agent of agents) await agent.prepare();
  await house.beats(1, ...agents);
  for (const agent of agents) {
    const to = agent.orders?.desired?.build;
    if (to == null) throw new Error(`nothing is desired of ${agent.name}`);
    await agent.goDown();
    await agent.start(to);
  }
  await house.beats(3, ...agents);
  for (const agent of agents) expect(await agent.confirm()).toBe(true);
  await house.beats(1, ...agents);
}

const ATONCE = { policy: { stages: [1], concurrency: 5 } };

test("a channel in a backup does not take back who joined after its promotion and has moved on since", async () => {
  await using house = await House.build();
  for (const version of ["1.0.0", "1.1.0"]) house.shelf.put(version);
  must(await house.baton.channels.put(ADMIN, "stable", {}));
  must(await house.baton.channels.promote(ADMIN, "stable", { release: "1.0.0" }));
  must(await house.baton.groups.create(ADMIN, { name: "web", mode: "independent" }));
  must(await house.baton.groups.edit(ADMIN, "web", { channel: "stable" }));
  house.clock.pass(1_000);
  const a = await house.join("web", "a", "1.0.0");
  await house.crash();
  await house.openRestored();
  await a.start(buildOf("1.1.0"));
  await house.beats(25, a);
  expect(a.orders?.desired ?? null).toBeNull();
});

test("a job of one node in a backup does not take the node back that has moved on since", async () => {
  await using house = await House.build();
  const [a] = await two(house);
  must(await house.baton.nodes.start(ADMIN, a.id, "update", { release: "1.1.0" }));
  await house.crash();
  await house.openRestored();
  await a.start(buildOf("1.2.0"));
  await house.beats(25, a);
  expect(a.orders?.desired ?? null).toBeNull();
});

test("a rollout that a later one has overtaken is not begun anew: it would take everybody back", async () => {
  await using house = await House.build();
  const [a, b] = await two(house);
  const first = must(
    await house.baton.rollouts.start(
      ADMIN,
      web("1.1.0", { policy: { stages: [1], concurrency: 5, threshold: 1 } }),
    ),
  );
  await house.beats(1, a, b);
  a.say("preparing", { failed: true, reason: { code: "no-space", message: "No space." } });
  await a.beat();
  await allWell(house, b);
  expect(must(await house.baton.rollouts.get(first.id)).status).toBe("completed");
  a.say("idle");
  const second = must(await house.baton.rollouts.start(ADMIN, web("1.2.0", { ...ATONCE, retry: true })));
  await allWell(house, a, b);
  expect(must(await house.baton.rollouts.get(second.id)).status).toBe("completed");
  expect(code(await house.baton.rollouts.retry(ADMIN, first.id))).toBe("wrong-state");
  await house.beats(3, a, b);
  expect(must(await house.baton.groups.get("web")).desired).toBe("1.2.0");
  expect(a.orders?.desired ?? null).toBeNull();
});

test("who failed in a rollout that goes on and is in another by now is not begun anew by the first", async () => {
  await using house = await House.build();
  const [a, b] = await two(house);
  const first = must(
    await house.baton.rollouts.start(
      ADMIN,
      web("1.1.0", { policy: { stages: [1], concurrency: 5, threshold: 1 } }),
    ),
  );
  await house.beats(1, a, b);
  a.say("preparing", { failed: true, reason: { code: "no-space", message: "No space." } });
  await a.beat();
  const selection = { nodes: [a.id] };
  must(await house.baton.rollouts.start(ADMIN, { selection, release: "1.2.0", retry: true }));
  expect(code(await house.baton.rollouts.retry(ADMIN, first.id))).toBe("rollout-active");
});

test("who finishes in a rollout that was cancelled is not taken back before the rollout has noticed", async () => {
  await using house = await House.build();
  const [a, b] = await two(house);
  must(await house.baton.rollouts.start(ADMIN, web("1.0.0")));
  expect(must(await house.baton.groups.get("web")).desired).toBe("1.0.0");
  const { id } = must(await house.baton.rollouts.start(ADMIN, web("1.1.0", ATONCE)));
  await house.beats(1, a, b);
  await a.prepare();
  await house.beats(1, a, b);
  await a.goDown();
  must(await house.baton.rollouts.cancel(ADMIN, id));
  await a.start(buildOf("1.1.0"));
  await house.beats(3, a, b);
  // Catching up is looked at every ten seconds, rollouts every second: here only the first is due.
  await house.baton.tick();
  house.clock.pass(9_500);
  await house.baton.tick();
  house.clock.pass(700);
  const { store } = house;
  const apply = store.apply.bind(store);
  let ticked = false;
  store.apply = async (changes) => {
    const applied = await apply(changes);
    const isNews = changes.some((change) => change.kind === "job" && change.value.status === "succeeded");
    if (isNews && !ticked) {
      ticked = true;
      await house.baton.tick();
    }
    return applied;
  };
  expect(await a.confirm()).toBe(true);
  expect(ticked).toBe(true);
  await house.beats(3, a, b);
  expect(a.orders?.desired ?? null).toBeNull();
  expect(must(await house.baton.nodes.get(a.id))).toMatchObject({ desired: "1.1.0", jobId: null });
});

test("who is looked at while the last node of a rollout finishes is not taken back to what was wanted before", async () => {
  await using house = await House.build();
  const [a, b] = await two(house);
  must(await house.baton.rollouts.start(ADMIN, web("1.0.0")));
  const { id } = must(await house.baton.rollouts.start(ADMIN, web("1.1.0", ATONCE)));
  await house.beats(1, a, b);
  for (const agent of [a, b]) await agent.prepare();
  await house.beats(1, a, b);
  for (const agent of [a, b]) {
    await agent.goDown();
    await agent.start(buildOf("1.1.0"));
  }
  await house.beats(3, a, b);
  expect(await a.confirm()).toBe(true);
  const { store } = house;
  const lastJob = store.lastJob.bind(store);
  const confirmed = Promise.withResolvers<boolean>();
  let statusThen: string | null = null;
  store.lastJob = async (nodeId) => {
    if (nodeId === a.id && statusThen === null) {
      statusThen = "looked at";
      // What follows from it for their group waits until all that follows from what `a` said is done; the tick does not.
      b.confirm().then(confirmed.resolve, confirmed.reject);
      for (let ticks = 0; ticks < 20 && statusThen !== "completed"; ticks += 1) {
        await setImmediate();
        house.clock.pass(1_000);
        await house.baton.tick();
        statusThen = must(await house.baton.rollouts.get(id)).status;
      }
    }
    return lastJob(nodeId);
  };
  a.health = { healthy: true, caughtUp: true };
  await a.beat();
  expect(statusThen).toBe("completed");
  expect(await confirmed.promise).toBe(true);
  expect(must(await house.baton.rollouts.get(id)).status).toBe("completed");
  await a.beat();
  expect(a.orders?.desired ?? null).toBeNull();
});

test("a turn in a backup is nobody's turn, from the first instant on", async () => {
  await using house = await House.build();
  const [a, b] = await two(house);
  must(await house.baton.rollouts.start(ADMIN, web("1.1.0", ATONCE)));
  await house.beats(1, a, b);
  await a.prepare();
  await house.beats(1, a, b);
  expect(a.orders?.turn ?? null).not.toBeNull();
  await house.crash();
  await house.openRestored();
  const { store } = house;
  const rollouts = store.unfinishedRollouts.bind(store);
  // The engine has not looked yet.
  store.unfinishedRollouts = async () => [];
  await a.connect();
  store.unfinishedRollouts = rollouts;
  expect(code(await a.reserve())).toBe("paused");
});
