/** The HTTP API from its own document, by everybody. A failure tells the seed that shows it again. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { openApiDocument } from "../../server-stub/api/document.ts";
import { httpTargets } from "./http/target.ts";
import { makeWorld, type World } from "./http/world.ts";
import { campaignOf, tryOut } from "./target.ts";

const campaign = campaignOf(process.env);
const document = await openApiDocument("1.2.3");

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});
afterAll(() => world.close());

const targets = httpTargets(document, () => world);

test.each(targets.map((target) => [target.name, target] as const))("%s", async (_, target) => {
  expect(await tryOut(target, campaign)).toBeNull();
});

test("nothing that was asked was unforeseen", () => {
  const unforeseen = world.door.logged.filter((line) => line.includes("unforeseen"));
  expect(unforeseen.map((line) => line.slice(0, 2_000))).toEqual([]);
});
