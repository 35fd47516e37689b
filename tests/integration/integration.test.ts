import { describe, expect, test } from "vitest";
import { failureOf } from "./failure.ts";
import { PROMISED, SCENARIOS } from "./scenarios.ts";

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
