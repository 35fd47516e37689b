import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DEFAULTS } from "../../../protocol/defaults.ts";
import { ADMIN, House, must } from "./house.ts";
import type { TestAgent } from "./test-agent.ts";

describe("an unforeseen error in the engine", () => {
  let house: House;
  let agents: TestAgent[];
  let broken: TestAgent;
  beforeEach(async () => {
    house = await House.build();
    agents = [
      ...(await house.group("bad", "quorum", ["x", "y", "z"], "1.0.0")),
      ...(await house.group("good", "quorum", ["a", "b", "c"], "1.0.0")),
    ];
    const [first] = agents;
    if (first === undefined) throw new Error("nobody joined");
    broken = first;
    house.shelf.put("1.1.0");
  });
  afterEach(() => house[Symbol.asyncDispose]());
  const failures = () =>
    house.logged.filter(({ message }) => message.includes("unforeseen error in the engine"));

  test("in one rollout stops neither the other rollouts nor what comes after them", async () => {
    const start = async (group: string) =>
      must(await house.baton.rollouts.start(ADMIN, { selection: { groups: [group] } })).id;
    const [bad, good] = [await start("bad"), await start("good")];
    const rollout = house.store.rollout.bind(house.store);
    house.store.rollout = (id) => {
      if (id === bad) throw new Error("a rollout that nobody can read");
      return rollout(id);
    };
    house.clock.pass(1_000);
    await house.baton.tick();
    expect(failures().map(({ fields }) => fields)).toContainEqual(
      expect.objectContaining({ unit: "rollout", rolloutId: bad }),
    );
    await house.beats(1, ...agents.slice(3));
    for (const agent of agents.slice(3)) await agent.prepare();
    await house.beats(1, ...agents.slice(3));
    expect(must(await house.baton.rollouts.get(good)).status).toBe("running");
    const [a] = agents.slice(3);
    expect(must(await (a as TestAgent).reserve()).token).toBeGreaterThan(0);
  });

  test("in one node's presence leaves the others offline in time, and is logged once a minute at most", async () => {
    const node = house.store.node.bind(house.store);
    house.store.node = (id) => {
      if (id === broken.id) throw new Error("a node that nobody can read");
      return node(id);
    };
    house.store.nodes = () => Promise.reject(new Error("no list of nodes either"));
    for (let beats = 0; beats < DEFAULTS.offlineAfterMissed + 1; beats += 1) {
      house.clock.pass(DEFAULTS.heartbeatMs);
      await house.baton.tick();
    }
    const before = failures().length;
    for (let ticks = 0; ticks < 10; ticks += 1) await house.baton.tick();
    expect(failures()).toHaveLength(before);
    house.clock.pass(60_000);
    await house.baton.tick();
    expect(failures().length).toBeGreaterThan(before);
  });
});
