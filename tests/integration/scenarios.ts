/** All scenarios, in the order of their topics. */

import type { Scenario } from "./scenario.ts";
import { access } from "./scenarios/access.ts";
import { channels } from "./scenarios/channels.ts";
import { events } from "./scenarios/events.ts";
import { failures } from "./scenarios/failures.ts";
import { formation } from "./scenarios/formation.ts";
import { gates } from "./scenarios/gates.ts";
import { jobs } from "./scenarios/jobs.ts";
import { leases } from "./scenarios/leases.ts";
import { rollouts } from "./scenarios/rollouts.ts";
import { telling } from "./scenarios/telling.ts";
import { troubles } from "./scenarios/troubles.ts";

export const SCENARIOS: readonly Scenario[] = [
  ...formation,
  ...jobs,
  ...failures,
  ...events,
  ...gates,
  ...rollouts,
  ...channels,
  ...leases,
  ...troubles,
  ...access,
  ...telling,
];
