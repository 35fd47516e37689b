/**
 * Whatever happens to nodes, clocks and operators, in any order: what must always hold of a rollout, holds; and it comes
 * to its end once everybody does well. Source: docs/ARCHITECTURE.md, "A rollout".
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Game, type Setting } from "./game.ts";

const setting: fc.Arbitrary<Setting> = fc.record({
  groups: fc.array(fc.constantFrom(1, 1, 1, 2, 3, 3, 5), { minLength: 1, maxLength: 6 }),
  stages: fc.constantFrom([1], [0.5, 1], [0.1, 0.5, 1], [0.2, 0.4, 0.6, 1]),
  concurrency: fc.integer({ min: 1, max: 4 }),
  threshold: fc.constantFrom(null, null, 0, 0.25, 0.5, 1),
  pauseMs: fc.constantFrom(0, 0, 10_000, 90_000, 600_000, null),
  offline: fc.constantFrom("halt" as const, "skip" as const),
  seed: fc.nat({ max: 1_000 }),
});
const choices = fc.array(fc.nat({ max: 4_194_303 }), { minLength: 20, maxLength: 160, size: "max" });

test("in every order of what may happen", () => {
  const played = fc.check(
    fc.property(setting, choices, (how, steps) => {
      const game = new Game(how);
      game.look();
      for (const choice of steps) game.step(choice);
      game.finish();
    }),
    { numRuns: 250, seed: 20261121 },
  );
  expect(played.failed ? fc.defaultReportMessage(played) : "it held").toBe("it held");
});

test("much happens in these games: turns, halts, retries, stages, ends", () => {
  const happened = { looks: 0, turns: 0, halts: 0, retries: 0, completions: 0, stages: 0 };
  for (const [how, steps] of fc.sample(fc.tuple(setting, choices), { numRuns: 100, seed: 7 })) {
    const game = new Game(how);
    for (const choice of steps) game.step(choice);
    game.finish();
    for (const key of Object.keys(happened) as (keyof typeof happened)[]) happened[key] += game.happened[key];
  }
  expect(happened.turns).toBeGreaterThan(500);
  expect(happened.halts).toBeGreaterThan(20);
  expect(happened.retries).toBeGreaterThan(20);
  expect(happened.stages).toBeGreaterThan(60);
  expect(happened.completions).toBeGreaterThan(20);
});
