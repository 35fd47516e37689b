import { expect, it } from "vitest";
import { crashesAfter, readCrashes } from "../../../agent/core/crashes.ts";

it.each([
  [{}, 0, 0],
  [{ BATON_CRASHES: "4" }, 0, 4],
  [{ BATON_CRASHES: "4" }, 59_999, 4],
  [{ BATON_CRASHES: "4" }, 60_000, 0],
  [{ BATON_CRASHES: "4", BATON_CRASH_RESET_S: "5" }, 5_000, 0],
  [{ BATON_CRASHES: "many" }, 0, 0],
  [{ BATON_CRASHES: "-1" }, 0, 0],
])("%j after %i ms are %i crashes", (env, ranMs, crashes) => {
  expect(crashesAfter(readCrashes(env), ranMs)).toBe(crashes);
});
