import type { Scenario } from "../runner.ts";
import { coordinatorCrash } from "./coordinator-crash.ts";
import { damagedState } from "./damaged-state.ts";
import { diskFull } from "./disk-full.ts";
import { network } from "./network.ts";
import { nodeCrash } from "./node-crash.ts";
import { operatorStop } from "./operator-stop.ts";
import { updateNow } from "./update-now.ts";

/** What goes wrong around an update, and what a person does at a node. */
export const faultsAndCommands: readonly Scenario[] = [
  ...coordinatorCrash,
  ...nodeCrash,
  ...network,
  ...updateNow,
  ...operatorStop,
  ...diskFull,
  ...damagedState,
];
