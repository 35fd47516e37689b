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
import { state } from "./scenarios/state.ts";
import { telling } from "./scenarios/telling.ts";
import { troubles } from "./scenarios/troubles.ts";

export const SCENARIOS: readonly Scenario[] = [
  ...formation,
  ...jobs,
  ...state,
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

/** What the suite must have at least. */
export const PROMISED = [
  "formation: one of several coordinators runs the engine",
  "formation: a node is added",
  "formation: approval",
  "formation: membership follows",
  "jobs: tracked to the end",
  "jobs: on the named node",
  "jobs: retried after failure",
  "jobs: cancelled while running",
  "jobs: timed out when stuck",
  "state: a rollout started on one coordinator is seen by all",
  "state: membership changes too",
  "state: a job has one status everywhere",
  "state: the next engine goes on after the old one dies",
  "failures: offline found by missed heartbeats",
  "failures: a dead node's turn handled",
  "failures: a coordinator lost",
  "failures: pending approvals survive",
  "events: through the chain",
  "events: completion reaches who asked",
  "events: state changes reach subscribers",
] as const;
