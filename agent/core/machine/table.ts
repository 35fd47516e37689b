import { committing } from "./committing.ts";
import { confirming } from "./confirming.ts";
import { draining } from "./draining.ts";
import { exiting } from "./exiting.ts";
import { goingBack } from "./going-back.ts";
import { handingOver } from "./handing-over.ts";
import { idle } from "./idle.ts";
import { prepared } from "./prepared.ts";
import { preparing } from "./preparing.ts";
import { probation } from "./probation.ts";
import { reserving } from "./reserving.ts";
import { resuming } from "./resuming.ts";
import type { Table } from "./row.ts";
import { swapping } from "./swapping.ts";

/** Every state and everything that can happen in it. The type proves that no pair was forgotten. */
export const TABLE: Table = {
  idle,
  preparing,
  prepared,
  reserving,
  "handing-over": handingOver,
  committing,
  draining,
  resuming,
  swapping,
  probation,
  confirming,
  "going-back": goingBack,
  exiting,
};
