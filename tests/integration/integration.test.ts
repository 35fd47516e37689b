import { describe, expect, test } from "vitest";
import { Play } from "./play.ts";
import type { Scenario } from "./scenario.ts";
import { PROMISED, SCENARIOS } from "./scenarios.ts";

/** How much of what happened before is shown with what failed. */
const LINES = 60;

describe.each([...Map.groupBy(SCENARIOS, ({ topic }) => topic)])("%s", (_topic, scenarios) => {
  // Not by `$name`, which is cut off after forty characters.
  test.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    "%s",
    async (_name, scenario) => {
      expect(await failureOf(scenario)).toBeNull();
    },
  );
});

test("every scenario that was promised is there, and no two have one name", () => {
  const names = SCENARIOS.map(({ topic, name }) => `${topic}: ${name}`);
  expect(names).toEqual(expect.arrayContaining([...PROMISED]));
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(2 * PROMISED.length);
});

/** What was not as the scenario says, where, and what had happened before. */
async function failureOf({ fleet, story }: Scenario): Promise<string | null> {
  const play = await Play.begin(fleet);
  try {
    await story(play);
    return null;
  } catch (cause) {
    const lines = play.world.story.lines.slice(-LINES);
    return [cause instanceof Error ? cause.stack : String(cause), ...lines].join("\n");
  } finally {
    await play.end();
  }
}
