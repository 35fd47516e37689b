import { expect, test } from "vitest";
import { ADMIN, House, must, three } from "./house.ts";
import { buildOf } from "./shelf.ts";

test("three voters go one after the other, the leader last, and the group is then meant to be there", async () => {
  await using house = await House.build();
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  a.health = { healthy: true, role: "leader" };
  b.health = { healthy: true, role: "follower" };
  c.health = { healthy: true, role: "follower" };
  await house.beats(1, a, b, c);
  house.shelf.put("1.1.0");
  const { id } = must(await house.baton.rollouts.start(ADMIN, { selection: { groups: ["db"] } }));
  await house.beats(1, a, b, c);
  for (const agent of [a, b, c]) expect(agent.orders?.desired?.release).toBe("1.1.0");
  for (const agent of [a, b, c]) await agent.prepare();
  await house.beats(1, a, b, c);
  expect([a, b, c].map((agent) => agent.orders?.turn !== null)).toEqual([false, true, false]);
  expect(a.orders?.waiting?.code).toBe("leader-last");

  for (const agent of [b, c, a]) {
    const others = [a, b, c].filter((other) => other !== agent);
    await agent.beat();
    expect(agent.orders?.turn?.peers.map((peer) => peer.name)).toHaveLength(2);
    await agent.updateWell(others);
    await house.beats(1, a, b, c);
  }
  const rollout = must(await house.baton.rollouts.get(id));
  expect(rollout.nodes.map((node) => node.status)).toEqual(["succeeded", "succeeded", "succeeded"]);
  expect(rollout).toMatchObject({
    status: "completed",
    reason: { message: "3 of 3 nodes were updated, 0 skipped, 0 failed." },
  });
  expect(must(await house.baton.groups.get("db")).desired).toBe("1.1.0");
  expect(must(await house.baton.leases.view("db"))).toMatchObject({ holder: null, broken: [], serving: 3 });
  expect(house.logged.filter((line) => line.level === "error")).toEqual([]);
});

test("the first failure halts the rollout, and the others stay as they were", async () => {
  await using house = await House.build();
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.1.0");
  const { id } = must(
    await house.baton.rollouts.start(ADMIN, { selection: { groups: ["db"] }, release: "1.1.0" }),
  );
  await house.beats(1, a, b, c);
  for (const agent of [a, b, c]) await agent.prepare();
  await house.beats(1, a, b, c);
  const token = await a.goDown();
  await a.start(buildOf("1.1.0"));
  await a.goBack(token, buildOf("1.0.0"));
  await house.beats(1, a, b, c);

  const rollout = must(await house.baton.rollouts.get(id));
  expect(rollout.status).toBe("halted");
  expect(rollout.nodes.map((node) => node.status)).toEqual(["rolled-back", "pending", "pending"]);
  expect(rollout.nodes[0]?.reason?.message).toContain("The health hook failed.");
  expect(b.orders?.desired).toBeNull();
  expect(must(await house.baton.leases.view("db")).holder).toBeNull();
  const open = (await house.baton.alerts.list()).filter((alert) => alert.resolvedAt === null);
  expect(open.map((alert) => alert.kind).sort()).toEqual(["fleet_update_halted", "update_failed"]);
});
