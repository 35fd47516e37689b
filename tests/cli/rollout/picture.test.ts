import { stripVTControlCharacters } from "node:util";
import pc from "picocolors";
import { describe, expect, test } from "vitest";
import { rolloutChanges, rolloutTitle } from "../../../cli/show/rollout/changes.ts";
import { rolloutPicture } from "../../../cli/show/rollout/picture.ts";
import { width } from "../../../cli/show/table.ts";
import { page, sections } from "../page.ts";
import { type Scene, sceneOf } from "./scene.ts";
import { BACK, COMPLETED, HALTED, PAUSED, THREE, THREE_HUNDRED, TWELVE } from "./scenes.ts";

// Times are shown as the terminal's machine has them.
process.env.TZ = "UTC";

const plain = pc.createColors(false);
const colored = pc.createColors(true);

const SIZES = [
  [60, 24],
  [80, 24],
  [80, 40],
  [120, 40],
  [200, 50],
] as const;

const atSizes = (scene: Scene): string =>
  sections(
    SIZES.map(([columns, rows]) => [
      `${columns} columns, ${rows} rows`,
      rolloutPicture(plain, sceneOf(scene), { columns, rows }),
    ]),
  );

describe("the picture of a rollout", () => {
  test.each([
    ["rollout-3-nodes", THREE],
    ["rollout-12-nodes", TWELVE],
    ["rollout-300-nodes", THREE_HUNDRED],
  ])("%s, at several sizes", async (name, scene) => {
    const shown = atSizes(scene);
    expect(shown).toBe(await page(name, shown));
  });

  test("that is paused, went back, halted or completed", async () => {
    const room = { columns: 80, rows: 40 };
    const shown = sections([
      ["paused until resumed", rolloutPicture(plain, sceneOf(PAUSED), room)],
      ["a rollback, whose lease is overdue", rolloutPicture(plain, sceneOf(BACK), room)],
      ["halted", rolloutPicture(plain, sceneOf(HALTED), room)],
      ["completed", rolloutPicture(plain, sceneOf(COMPLETED), room)],
    ]);
    expect(shown).toBe(await page("rollout-ends", shown));
  });

  const everyScene = [THREE, TWELVE, THREE_HUNDRED, PAUSED, BACK, HALTED, COMPLETED];
  const everySize = [1, 20, 40, 60, 80, 120, 200].flatMap((columns) =>
    [2, 5, 10, 16, 24, 50].map((rows) => [columns, rows] as const),
  );

  test.each(everySize)("never leaves a window of %d columns and %d rows", (columns, rows) => {
    for (const scene of everyScene) {
      const lines = rolloutPicture(colored, sceneOf(scene), { columns, rows }).split("\n");
      expect(lines.length).toBeLessThan(rows);
      for (const line of lines) expect(width(line)).toBeLessThanOrEqual(columns);
    }
  });

  test("says the same without its colours", () => {
    for (const scene of everyScene) {
      const room = { columns: 100, rows: 50 };
      const shown = rolloutPicture(colored, sceneOf(scene), room);
      expect(stripVTControlCharacters(shown)).toBe(rolloutPicture(plain, sceneOf(scene), room));
    }
  });

  test("shows every node of a fleet too large for names", () => {
    const shown = rolloutPicture(plain, sceneOf(THREE_HUNDRED), { columns: 80, rows: 40 });
    const rail = shown.split("\n").filter((line) => /^[│ ] {2}[●○◐◌✗↩ ]+$/u.test(line));
    expect(rail.join("").replace(/[│ ]/g, "")).toHaveLength(300);
  });
});

test("line by line, where nothing can be redrawn; what stays the same is not told again", async () => {
  const steps: readonly (readonly [string, Scene])[] = [
    [
      "at first",
      { ...TWELVE, stages: ["ppp", "oooooo", "ooo"], rollout: { ...TWELVE.rollout, reason: null } },
    ],
    [
      "a node at work",
      { ...TWELVE, stages: ["sup", "oooooo", "ooo"], rollout: { ...TWELVE.rollout, reason: null } },
    ],
    [
      "only time has passed",
      {
        ...TWELVE,
        stages: ["sup", "oooooo", "ooo"],
        laterMs: 5_000,
        rollout: { ...TWELVE.rollout, reason: null },
      },
    ],
    ["the second stage", TWELVE],
    ["halted", HALTED],
  ];
  let before: ReturnType<typeof sceneOf> | null = null;
  const parts: [string, string][] = [];
  for (const [title, scene] of steps) {
    const moment = sceneOf(scene);
    const lines = rolloutChanges(before, moment).map(({ line }) => line);
    parts.push([title, (before === null ? [rolloutTitle(moment), ...lines] : lines).join("\n")]);
    before = moment;
  }
  const shown = sections(parts);
  expect(shown).toBe(await page("rollout-lines", shown));
});

test("for programs, a change is an object", () => {
  const [first] = rolloutChanges(null, sceneOf(THREE));
  expect(first?.change).toEqual({
    kind: "node",
    nodeId: "n-000000000000",
    name: "db-1",
    group: "db",
    stage: 0,
    status: "succeeded",
    step: null,
    lease: null,
    jobId: "j-000000000000",
    reason: null,
  });
});
