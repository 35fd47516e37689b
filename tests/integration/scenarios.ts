/** All scenarios, in the order of their topics. */

import type { Scenario } from "./scenario.ts";
import { events } from "./scenarios/events.ts";
import { failures } from "./scenarios/failures.ts";
import { formation } from "./scenarios/formation.ts";
import { jobs } from "./scenarios/jobs.ts";

export const SCENARIOS: readonly Scenario[] = [...formation, ...jobs, ...failures, ...events];
