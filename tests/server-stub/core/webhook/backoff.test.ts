import { expect, test } from "vitest";
import { GIVE_UP_AFTER_MS, MAX_ATTEMPTS, nextTry } from "../../../../server-stub/core/webhook/backoff.ts";

const tries = (chance: number): number[] => {
  const at: number[] = [];
  let now: number | null = 0;
  for (let attempts = 1; now !== null; attempts += 1) {
    now = nextTry({ attempts, writtenAt: 0, retryAfterMs: null }, now, chance);
    if (now !== null) at.push(now);
  }
  return at;
};

test("waits three times as long each time, ten tries within a day whatever the dice say", () => {
  expect(tries(0.5).map((ms) => Math.round(ms / 1000))).toEqual([
    10, 40, 130, 400, 1210, 3640, 10930, 32800, 76000,
  ]);
  for (const chance of [0, 1]) {
    expect(tries(chance)).toHaveLength(MAX_ATTEMPTS - 1);
    expect(tries(chance).at(-1)).toBeLessThan(GIVE_UP_AFTER_MS);
  }
  expect(tries(0)[0]).toBe(9_000);
  expect(tries(1)[0]).toBe(11_000);
});

test("a receiver that asks for more time gets it, but never more than there is", () => {
  const once = { attempts: 1, writtenAt: 0 };
  expect(nextTry({ ...once, retryAfterMs: 60_000 }, 5_000, 0.5)).toBe(65_000);
  expect(nextTry({ ...once, retryAfterMs: 1_000 }, 5_000, 0.5)).toBe(15_000);
  expect(nextTry({ ...once, retryAfterMs: GIVE_UP_AFTER_MS }, 5_000, 0.5)).toBeNull();
});
