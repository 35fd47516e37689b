import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tokenEpoch } from "../../../protocol/token.ts";
import { ADMIN, code, House, must, three } from "./house.ts";
import { buildOf } from "./shelf.ts";

test("after a restore tokens jump, reservations are gone, and a node at work is taken as in flight", async () => {
  await using house = await House.build();
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.1.0");
  must(await house.baton.rollouts.start(ADMIN, { selection: { groups: ["db"] } }));
  await house.beats(1, a, b, c);
  for (const agent of [a, b, c]) await agent.prepare();
  await house.beats(1, a, b, c);
  await house.crash();
  await copyFile(join(house.dir, "coordinator.db"), join(house.dir, "backup.db"));
  await house.open();
  for (const agent of [a, b, c]) await agent.connect();
  const token = await a.goDown();
  await house.crash();
  await copyFile(join(house.dir, "backup.db"), join(house.dir, "coordinator.db"));
  await house.openRestored();
  await a.start(buildOf("1.1.0"));
  for (const agent of [b, c]) await agent.connect();
  expect(must(await house.baton.leases.view("db")).holder).toMatchObject({
    nodeId: a.id,
    token,
    phase: "in-flight",
  });
  expect(code(await b.reserve())).not.toBe("");
  await house.beats(2, a, b, c);
  expect(await a.confirm()).toBe(true);
  expect(must(await house.baton.leases.view("db")).holder).toBeNull();
  await house.beats(1, a, b, c);
  await b.prepare();
  await house.beats(1, a, b, c);
  expect(tokenEpoch(must(await b.reserve()).token)).toBe(1);
});
