import { beforeAll, expect, test } from "vitest";
import { type Account, accountWritten, showAccount, sumUp } from "./account.ts";
import { type Explored, explore } from "./explore.ts";
import { type Fixture, makeFixture } from "./fixture.ts";
import { createGuard } from "./guard.ts";
import { GUARD_TEXT } from "./mutations.ts";
import type { Story } from "./story.ts";

/**
 * Cuts these stories off at every point, by a kill and by a power cut, and the recoveries from that at every point that
 * is new; and holds the account of all points to what is written down.
 */
export function testEveryPoint(name: string, stories: readonly Story[]): void {
  const guard = createGuard(GUARD_TEXT);
  const account = new Map<string, Explored>();
  const situations = new Set<string>();
  let fixture: Fixture;
  beforeAll(async () => {
    fixture = await makeFixture();
  });

  test.each(stories)("$name, cut off at every point", { timeout: 240_000 }, async (story) => {
    const explored = await explore({ fixture, guard, story }, { crashes: 2, after: "new" }, situations);
    account.set(story.name, explored);
    expect(explored.points).toBeGreaterThan(0);
  });

  test("the points are those that are written down", ({ annotate }) => {
    const now = showAccount(account satisfies Account);
    void annotate(sumUp(account));
    expect(now).toBe(accountWritten(name, now));
  });
}
