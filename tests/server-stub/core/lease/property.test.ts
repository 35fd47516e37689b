/**
 * Whatever is lost, copied, late or out of order, whoever crashes when: what must always hold, holds.
 * Source: docs/ARCHITECTURE.md, "The lease".
 * The checks are in `SmallWorld`; here are the worlds, and that enough happens in them to mean something.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { SmallWorld } from "./small-world.ts";

const choices = fc.array(fc.nat({ max: 1_000_000 }), { minLength: 100, maxLength: 600, size: "max" });

test.each([
  { voters: 3, mayRestore: false },
  { voters: 5, mayRestore: false },
  { voters: 3, mayRestore: true },
])("with $voters voters, restores $mayRestore", (world) => {
  const played = fc.check(
    fc.property(choices, (steps) => {
      const small = new SmallWorld(world.voters, world);
      for (const choice of steps) small.step(choice);
    }),
    { numRuns: 300, seed: 20260722 },
  );
  expect(played.failed ? fc.defaultReportMessage(played) : "it held").toBe("it held");
});

test("in a long run much is committed, confirmed, gone back on and broken", () => {
  const small = new SmallWorld(3, { mayRestore: false });
  const next = generator(7);
  for (let count = 0; count < 150_000; count += 1) small.step(next());
  expect(small.done.commits).toBeGreaterThan(100);
  expect(small.done.confirmed).toBeGreaterThan(20);
  expect(small.done.wentBack).toBeGreaterThan(20);
  expect(small.done.broken).toBeGreaterThan(0);
});

/** Numbers that look random and are the same every time (a linear congruential generator, Knuth's constants). */
function generator(seed: number): () => number {
  let state = BigInt(seed);
  return () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return Number(state >> 33n) % 1_000_000;
  };
}
