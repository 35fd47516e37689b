/** For how long somebody has been away, which is what halts a rollout: not longer than could be. */
import { expect, test } from "vitest";
import { ADMIN, House, must } from "./house.ts";
import { rollOut, round } from "./rolling.ts";
import { TestAgent } from "./test-agent.ts";

const HOURS = 3 * 3_600_000;
const MINUTE = 60_000;

/** A coordinator that has been up for hours, with one node that goes first, since it is there. */
async function longUp(house: House) {
  const [a] = await house.group("web", "independent", ["a"], "1.0.0");
  if (a === undefined) throw new Error("no agent");
  house.clock.pass(HOURS);
  await a.connect();
  await house.beats(1, a);
  house.shelf.put("1.1.0");
  return a;
}

/** It has its credential, and has not said hello. */
async function joins(house: House, name: string): Promise<TestAgent> {
  const token = must(await house.baton.access.createJoinToken(ADMIN, { group: "web", autoApprove: true }));
  const joined = must(await house.baton.access.join({ token: token.secret, name }, "127.0.0.1"));
  return new TestAgent(house, joined, "1.0.0");
}

const start = async (house: House) =>
  must(await house.baton.rollouts.start(ADMIN, { selection: { groups: ["web"] }, policy: { stages: [1] } }))
    .id;
const statusOf = async (house: House, id: string) => must(await house.baton.rollouts.get(id)).status;

test("who has just joined, and was never heard, has not been away for as long as the coordinator is up", async () => {
  await using house = await House.build();
  const a = await longUp(house);
  const late = await joins(house, "late");
  const id = await start(house);
  await round(house, [a]);
  expect(a.runs.version).toBe("1.1.0");
  expect(must(await house.baton.rollouts.get(id))).toMatchObject({
    status: "running",
    reason: { code: "node-offline" },
    counts: { succeeded: 1 },
  });
  await late.connect();
  await rollOut(house, [a, late]);
  expect(late.runs.version).toBe("1.1.0");
  expect(await statusOf(house, id)).toBe("completed");
});

test("after a minute it has been, though: the rollout halts, and goes on when it is there", async () => {
  await using house = await House.build();
  const a = await longUp(house);
  const late = await joins(house, "late");
  const id = await start(house);
  await round(house, [a]);
  house.clock.pass(MINUTE);
  await house.beats(1, a);
  expect(must(await house.baton.rollouts.get(id))).toMatchObject({
    status: "halted",
    reason: { code: "node-offline", message: expect.stringContaining("late") },
  });
  await late.connect();
  must(await house.baton.rollouts.retry(ADMIN, id));
  await rollOut(house, [a, late]);
  expect(await statusOf(house, id)).toBe("completed");
});

test("who comes back is not away any more while it connects, in the very moment in which its turn comes", async () => {
  await using house = await House.build();
  const a = await longUp(house);
  const back = await joins(house, "back");
  await back.connect();
  const id = await start(house);
  await house.beats(1, a, back);
  for (const agent of [a, back]) await agent.prepare();
  await house.beats(1, a, back);
  const [first, second] = a.orders?.turn == null ? [back, a] : [a, back];
  // One is under way, while the other is away for long; it says hello just before the first is done.
  await first.goDown();
  const to = first.orders?.desired?.build;
  if (to == null) throw new Error("nothing is desired");
  await first.start(to);
  for (let beat = 0; beat < 20; beat += 1) await house.beats(1, first);
  await house.baton.sessions.receive(second.id, [second.hello]);
  expect(await first.confirm()).toBe(true);
  await house.beats(1, first);
  expect(must(await house.baton.rollouts.get(id))).toMatchObject({
    status: "running",
    counts: { succeeded: 1 },
  });
  await second.connect();
  await rollOut(house, [first, second]);
  expect(await statusOf(house, id)).toBe("completed");
});

test("whose words wait to be taken is not away, however late they are taken: a coordinator has much to do", async () => {
  await using house = await House.build();
  const [a, b] = await house.group("web", "independent", ["a", "b"], "1.0.0");
  if (a === undefined || b === undefined) throw new Error("no agents");
  await house.beats(2, a, b);
  house.shelf.put("1.1.0");
  const id = await start(house);
  const free = holdUp(house, b);
  const said = [b.beat(), b.beat()];
  await house.beats(12, a);
  expect(await statusOf(house, id)).toBe("running");
  expect(await house.baton.alerts.list({ kind: "node_offline" })).toEqual([]);
  free();
  await Promise.all(said);
  await rollOut(house, [a, b]);
  expect(await statusOf(house, id)).toBe("completed");
});

/** What is next taken of the agent takes until the answered function is called. */
function holdUp(house: House, agent: TestAgent): () => void {
  const { store } = house;
  const read = store.activeJob.bind(store);
  const gate = Promise.withResolvers<void>();
  let held = false;
  store.activeJob = async (nodeId) => {
    if (nodeId === agent.id && !held) {
      held = true;
      await gate.promise;
    }
    return read(nodeId);
  };
  return gate.resolve;
}
