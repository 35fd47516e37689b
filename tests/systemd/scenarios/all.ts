import type { Scenario } from "../runner.ts";
import { badBuilds } from "./bad-builds.ts";
import { confirmLost } from "./confirm-lost.ts";
import { doctor } from "./doctor.ts";
import { etcd } from "./etcd.ts";
import { faultsAndCommands } from "./faults-and-commands.ts";
import { fixtures } from "./fixtures.ts";
import { fleet } from "./fleet.ts";
import { goodUpdate } from "./good-update.ts";
import { debianPackages } from "./packages.ts";
import { pauses } from "./pauses.ts";
import { restored } from "./restored.ts";
import { selfCheck } from "./self-check.ts";
import { stages } from "./stages.ts";
import { units } from "./units.ts";

/** Every scenario, in the order in which they are played. */
export const SCENARIOS: readonly Scenario[] = [
  ...selfCheck,
  ...fixtures,
  ...fleet,
  ...goodUpdate,
  ...badBuilds,
  ...confirmLost,
  ...debianPackages,
  ...units,
  ...faultsAndCommands,
  ...doctor,
  ...etcd,
  ...pauses,
  ...stages,
  ...restored,
];
