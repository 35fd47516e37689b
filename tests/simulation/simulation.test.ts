/** Whole fleets through everything that can happen to them. `npm run test:sim` runs more of it. */

import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeHunt, hunt } from "./hunt.ts";
import { invent } from "./invent.ts";
import { MUTATIONS } from "./mutations.ts";
import { describeFailure, runSeeds } from "./pool.ts";
import type { Regression } from "./regression.ts";
import { runHistory } from "./run.ts";

const SEEDS = 300;
const threads = Math.min(2, availableParallelism());
const range = (from: number, count: number) => Array.from({ length: count }, (_, at) => from + at);

describe("whole fleets in virtual time", () => {
  it(`hold every invariant in ${SEEDS} histories, and settle`, { timeout: 1_200_000 }, async () => {
    const { failures, seen, ran } = await runSeeds({
      seeds: range(1, SEEDS),
      threads,
      shrinks: true,
      maxFailures: 3,
    });
    expect(failures.map(describeFailure).join("\n\n")).toBe("");
    expect(ran).toBe(SEEDS);
    // What never happened was not tried.
    expect(MUST_HAPPEN.filter((what) => !seen.has(what))).toEqual([]);
  });

  it.each([
    ["in memory", 46, "memory"],
    ["in a file", 46, "sqlite"],
    ["shared by several", 16, "memory"],
    ["in a file shared by several", 16, "sqlite"],
  ] as const)("replay exactly, with the store %s", async (_, seed, storage) => {
    const [once, again] = [
      await runHistory(invent(seed, storage), { isTold: true }),
      await runHistory(invent(seed, storage), { isTold: true }),
    ];
    expect(again.story).toEqual(once.story);
    expect(again.steps).toBe(once.steps);
    expect(once.story.length).toBeGreaterThan(20);
  });

  const dir = join(import.meta.dirname, "regressions");
  it.each(readdirSync(dir))("does not fail again: %s", async (file) => {
    const { history } = JSON.parse(readFileSync(join(dir, file), "utf8")) as Regression;
    const { failure, story } = await runHistory(history, { isTold: true });
    expect({ failure, story: failure === null ? [] : story }).toEqual({ failure: null, story: [] });
  });

  it.each(MUTATIONS.filter(({ quick }) => quick !== undefined))(
    "find a planted fault: $name",
    { timeout: 600_000 },
    async (mutation) => {
      const hunted = await hunt(mutation, { seeds: [mutation.quick ?? 1], threads: 1 });
      expect(describeHunt(hunted)).toMatch(/^found in/);
    },
  );
});

/** Everything that histories are made of, and every way in which things end that matter. */
const MUST_HAPPEN = [
  ...["granted", "committed", "returned", "broken"].map((what) => `lease: ${what}`),
  ...[
    "kill",
    "power",
    "suspend",
    "hang",
    "vanish",
    "cut",
    "weather",
    "disk",
    "slow-disk",
    "wall",
    "hooks",
  ].map((kind) => `deed: ${kind}`),
  ...["coordinator-crash", "coordinator-sleep", "coordinator-slow", "backup", "restore"].map(
    (kind) => `deed: ${kind}`,
  ),
  ...["database-weather", "database-cut", "seat-freed", "seat-split"].map((kind) => `deed: ${kind}`),
  ...["lost", "unanswered", "late", "receipt found", "receipt missing"].map((what) => `store: ${what}`),
  "seat: taken",
  "seat: lost",
  "frame: not taken",
  "request: not served",
  ...["tell-rollout", "job", "cancel-job", "break-lease", "remove-node", "freeze", "stop-unit"].map(
    (kind) => `deed: ${kind}`,
  ),
  ...["resuming", "swapping", "probation", "confirming", "going-back"].map((state) => `state: ${state}`),
  ...["try-taken", "try-refunded", "went-back"].map((code) => `guard: ${code}`),
  ...["crashes-at-start", "exits-at-once", "hangs-before-ready", "hangs-after-ready", "is-unhealthy"].map(
    (manner) => `quarantined: ${manner}`,
  ),
  ...["flaps", "cannot-connect", "never-catches-up", "other-platform"].map(
    (manner) => `quarantined: ${manner}`,
  ),
  "coordinator: restored",
  "refused: quorum",
  "refused: leader-here",
  "rollout: rollback completed",
  "rollout: update cancelled cancelled",
  "rollout: update completed",
  "rollout: update halted failures",
];
