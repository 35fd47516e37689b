import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EVENT_KINDS } from "../../../agent/core/machine/event.ts";
import { TABLE } from "../../../agent/core/machine/table.ts";
import { UPDATE_STATES } from "../../../protocol/frames.ts";
import { settle } from "./settle.ts";
import { World } from "./world.ts";

const RUNS = Number(process.env.RUNS ?? 3_000);

describe("the update machine, whatever happens", () => {
  it("keeps its invariants and comes to rest", () => {
    let flips = 0;
    let confirmed = 0;
    let back = 0;
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 1_000_000 }), { minLength: 20, maxLength: 160 }), (choices) => {
        const world = new World();
        // A node with something to do: random walks through idleness find nothing.
        world.newJob("update", false);
        world.coordinator.hasTurn = true;
        world.feed({ kind: "session-opened", session: "5".repeat(32) });
        world.heartbeat();
        try {
          for (const choice of choices) world.step(choice);
          settle(world);
        } catch (cause) {
          throw new Error(`after: ${world.trace.join(", ")}`, { cause });
        }
        const { disk, machine } = world.node;
        expect(disk.trial).toBeNull();
        expect(disk.dist.build).toEqual(machine.facts.self.running);
        flips += world.flips;
        confirmed += world.coordinator.returned.filter(({ word }) => word === "confirmed").length;
        back += world.coordinator.returned.filter(({ word }) => word === "rolled-back").length;
      }),
      { numRuns: RUNS, seed: Number(process.env.SEED ?? 7) },
    );
    // The walks must have been worth it.
    expect(flips).toBeGreaterThan(RUNS / 50);
    expect(confirmed).toBeGreaterThan(RUNS / 200);
    expect(back).toBeGreaterThan(RUNS / 200);
  });

  it("decides every pair of state and event", () => {
    expect(Object.keys(TABLE).sort()).toEqual([...UPDATE_STATES].sort());
    for (const kind of UPDATE_STATES) {
      expect(Object.keys(TABLE[kind]).sort()).toEqual([...EVENT_KINDS].sort());
    }
  });
});
