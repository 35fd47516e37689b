/** What is done to coordinators, to what they store, and to their ways to it. */
import type { CoordinatorMachine } from "./coordinator.ts";
import { CALM } from "./database.ts";
import type { Deed, Replica } from "./history.ts";
import type { World } from "./world.ts";

type Kind =
  | "coordinator-crash"
  | "coordinator-sleep"
  | "coordinator-slow"
  | "database-weather"
  | "database-cut"
  | "seat-freed"
  | "seat-split"
  | "backup"
  | "restore";

/** The one that decides, or the next after it; where there is only one, that one. */
export function replicaOf(world: World, at: Replica = "seat"): CoordinatorMachine {
  const { coordinator, coordinators } = world;
  const index = coordinators.indexOf(coordinator) + (at === "other" ? 1 : 0);
  return coordinators[index % coordinators.length] ?? coordinator;
}

export const DEEDS_OF_COORDINATORS: {
  readonly [K in Kind]: (world: World, deed: Extract<Deed, { kind: K }>) => void;
} = {
  "coordinator-crash": (world, { at, ms }) => {
    const machine = replicaOf(world, at);
    world.time.must(world.outside(machine.crash()));
    world.time.after(ms, () => world.time.must(world.outside(machine.start())));
  },
  "coordinator-sleep": (world, { at, ms }) => {
    const machine = replicaOf(world, at);
    world.story.tell(machine.name, `is suspended for ${Math.round(ms)} ms`);
    machine.clock.sleep();
    world.time.after(ms, () => machine.clock.wake());
  },
  "coordinator-slow": (world, { at, factor, ms }) => {
    const machine = replicaOf(world, at);
    world.story.tell(machine.name, `its disk is ${factor} times slower for ${ms} ms`);
    machine.slowness = factor;
    world.time.after(ms, () => {
      machine.slowness = 1;
    });
  },
  "database-weather": (world, { weather, ms }) => {
    const said = Object.entries(weather).map(([name, value]) => `${name} ${Number(value).toFixed(2)}`);
    world.story.tell("database", `storm for ${Math.round(ms)} ms: ${said.join(", ")}`);
    world.database.weather = weather;
    world.time.after(ms, () => {
      if (world.database.weather === weather) world.database.weather = CALM;
    });
  },
  "database-cut": (world, { at, ms }) => {
    const name = at === "all" ? "*" : replicaOf(world, at).name;
    world.story.tell(
      "database",
      `${name === "*" ? "nobody" : name} cannot reach it for ${Math.round(ms)} ms`,
    );
    world.database.cut(name);
    world.time.after(ms, () => world.database.heal(name));
  },
  "seat-freed": (world) => {
    world.story.tell("database", "ends the connection that holds the seat");
    world.seat.free();
  },
  "seat-split": (world, { ms }) => {
    world.story.tell("database", `gives the seat to everybody for ${Math.round(ms)} ms`);
    world.seat.isSplit = true;
    world.time.after(ms, () => {
      world.seat.isSplit = false;
    });
  },
  backup: (world) => {
    world.story.tell("operator", "makes a backup");
    world.time.must(world.outside(world.storage.backup(world.coordinator.stored)));
  },
  restore: (world, { ms }) => {
    world.story.tell("operator", "puts the last backup in place");
    const restoring = world.outside(world.restore());
    world.time.must(restoring);
    world.time.after(ms, () => world.time.must(restoring.then(() => world.start())));
  },
};
