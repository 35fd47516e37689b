import type { Scenario } from "../runner.ts";
import { access } from "./access.ts";
import { demo } from "./demo.ts";
import { everyPage } from "./every-page.ts";
import { fleetLock } from "./fleet-lock.ts";
import { jobLog } from "./job-log.ts";
import { live } from "./live.ts";
import { manyNodes } from "./many-nodes.ts";
import { names } from "./names.ts";
import { nodePage } from "./node-page.ts";
import { nodesFilter } from "./nodes-filter.ts";
import { people } from "./people.ts";
import { rolloutHalts } from "./rollout-halts.ts";
import { rolloutStarts } from "./rollout-starts.ts";
import { rolloutSteered } from "./rollout-steered.ts";
import { signIn } from "./sign-in.ts";
import { silence } from "./silence.ts";

/** Every scenario, the quick ones first. */
export const SCENARIOS: readonly Scenario[] = [
  signIn,
  live,
  silence,
  names,
  nodesFilter,
  jobLog,
  people,
  access,
  fleetLock,
  nodePage,
  everyPage,
  demo,
  rolloutStarts,
  rolloutHalts,
  rolloutSteered,
  manyNodes,
];
