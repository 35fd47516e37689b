import type { Scenario } from "../runner.ts";
import { fixtures } from "./fixtures.ts";
import { fleet } from "./fleet.ts";
import { goodUpdate } from "./good-update.ts";
import { selfCheck } from "./self-check.ts";

/** Every scenario, in the order in which they are played. */
export const SCENARIOS: readonly Scenario[] = [...selfCheck, ...fixtures, ...fleet, ...goodUpdate];
