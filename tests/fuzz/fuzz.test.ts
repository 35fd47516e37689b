/**
 * What strangers may say, at every border, a little of it; `npm run test:proof` says more. A failure tells the seed
 * that shows it again.
 */
import { describe, expect, test } from "vitest";
import { campaignOf, tryOut } from "./target.ts";
import { parserTargets } from "./targets/all.ts";

const campaign = campaignOf(process.env);

describe.each(parserTargets)("%s", (_, targets) => {
  test.each(targets.map((target) => [target.name, target] as const))("%s", async (_name, target) => {
    expect(await tryOut(target, campaign)).toBeNull();
  });
});
