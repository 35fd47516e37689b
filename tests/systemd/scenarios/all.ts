import type { Scenario } from "../runner.ts";
import { badBuilds } from "./bad-builds.ts";
import { faultsAndCommands } from "./faults-and-commands.ts";
import { fixtures } from "./fixtures.ts";
import { fleet } from "./fleet.ts";
import { goodUpdate } from "./good-update.ts";
import { selfCheck } from "./self-check.ts";

/** Every scenario, in the order in which they are played. */
export const SCENARIOS: readonly Scenario[] = [
  ...selfCheck,
  ...fixtures,
  ...fleet,
  ...goodUpdate,
  ...badBuilds,
  ...faultsAndCommands,
];
