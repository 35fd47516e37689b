import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { realDisk } from "../../agent/effects/disk.ts";
import { readJournal } from "../../agent/effects/journal.ts";
import { releaseName } from "../../protocol/build.ts";
import { makeTemplate, NodeRig, type Template } from "./node-rig.ts";

let template: Template;
beforeAll(async () => {
  template = await makeTemplate();
});
afterAll(() => rm(template.dir, { recursive: true }));

/** What is tried: a way of the world, and how it must end wherever a process is cut off on the way. */
type Scenario = {
  readonly name: string;
  readonly set: (rig: NodeRig) => void;
  readonly endsOn: readonly ("z" | "a" | "b")[];
  readonly words: readonly string[];
  /** Up to the flip it goes as in the first scenario, where every cut was tried. */
  readonly firstLife?: "as before";
  /** Tries every cut, or every second or third; all of them with `CUTS=all`. */
  readonly every: number;
};

const SCENARIOS: readonly Scenario[] = [
  {
    name: "a good update",
    set: (rig) => rig.want("update", template.b.build),
    endsOn: ["b"],
    // Cut off before the flip, it is begun again.
    words: ["confirmed", "not-acted", "back"],
    every: 1,
  },
  {
    name: "a new build that is never healthy",
    set: (rig) => {
      rig.want("update", template.b.build);
      rig.behaviours.set(template.b.build.buildHash, { healthy: false });
    },
    endsOn: ["a"],
    words: ["rolled-back", "not-acted", "back"],
    firstLife: "as before",
    every: 2,
  },
  {
    name: "a new build that crashes at every start",
    set: (rig) => {
      rig.want("update", template.b.build);
      rig.behaviours.set(template.b.build.buildHash, { crashes: true });
    },
    endsOn: ["a"],
    words: ["rolled-back", "not-acted", "back"],
    firstLife: "as before",
    every: 2,
  },
  {
    name: "a new build that cannot connect, where the old one can",
    set: (rig) => {
      rig.want("update", template.b.build);
      rig.behaviours.set(template.b.build.buildHash, { connects: false });
    },
    endsOn: ["a"],
    words: ["rolled-back", "not-acted", "back"],
    firstLife: "as before",
    every: 2,
  },
  {
    name: "a rollback on purpose",
    set: (rig) => rig.want("rollback", null),
    endsOn: ["z"],
    words: ["confirmed", "not-acted", "back"],
    firstLife: "as before",
    every: 2,
  },
  {
    name: "a commit that was granted and whose answer was lost",
    set: (rig) => {
      rig.want("update", template.b.build);
      rig.coordinator.loseCommits = 1;
    },
    endsOn: ["b"],
    words: ["confirmed", "not-acted", "back"],
    every: 3,
  },
];

/** Lives through a scenario, cutting the given life off before the given effect; how many effects each life had. */
async function livesOf(
  scenario: Scenario,
  cut: { life: number; before: number } | null,
  check: (rig: NodeRig) => Promise<void>,
): Promise<number[]> {
  const rig = await NodeRig.make(template);
  const effects: number[] = [];
  const names: string[] = [];
  try {
    scenario.set(rig);
    for (let count = 0; count < 12; count++) {
      const life = await rig.live(cut !== null && cut.life === count ? cut.before : undefined);
      effects.push(life.cut.effects);
      if (cut !== null && cut.life === count) names.push(...life.cut.names);
      // Throws when dist names nothing complete, whatever was cut off.
      void rig.running;
      if (life.end === "at-rest") {
        await check(rig);
        return effects;
      }
    }
    throw new Error("it did not come to rest");
  } catch (cause) {
    if (cut === null) throw cause;
    const after = names.slice(-4).join(", ");
    throw new Error(`life ${cut.life}, cut before effect ${cut.before}, after ${after}`, { cause });
  } finally {
    await rig.remove();
  }
}

async function expectSettled(scenario: Scenario, rig: NodeRig): Promise<void> {
  const { coordinator, layout } = rig;
  expect(coordinator.lease).toBeNull();
  expect(scenario.endsOn.map((name) => template[name].build)).toContainEqual(rig.running);
  expect(coordinator.words.filter((word) => !scenario.words.includes(word))).toEqual([]);
  expect(existsSync(layout.trial)).toBe(false);
  expect(await readJournal(realDisk, layout)).toMatchObject({
    kind: "found",
    value: { phase: { kind: "idle" }, finalWords: [] },
  });
  const isOnA = rig.running.buildHash === template.a.build.buildHash;
  expect(rig.backup).toBe(`releases/${releaseName(isOnA ? template.z.build : template.a.build)}`);
  expect(existsSync(join(rig.dir, rig.backup ?? "", ".complete"))).toBe(true);
  const isCondemned = existsSync(join(layout.quarantine, template.b.build.buildHash));
  expect(isCondemned).toBe(scenario.words.includes("rolled-back"));
}

describe("the agent, cut off before each single effect on the disk", () => {
  it.each(SCENARIOS)("$name", { timeout: 60_000 }, async (scenario) => {
    const whole = await livesOf(scenario, null, (rig) => expectSettled(scenario, rig));
    const cuts = whole.flatMap((effects, life) =>
      Array.from({ length: effects }, (_, index) => ({ life, before: index + 1 })).filter(
        ({ before }) =>
          (life > 0 || scenario.firstLife !== "as before") &&
          (process.env.CUTS === "all" || before % scenario.every === 0),
      ),
    );
    expect(cuts.length).toBeGreaterThan(10);
    for (const cut of cuts) {
      await livesOf(scenario, cut, (rig) => expectSettled(scenario, rig));
    }
  });
});
