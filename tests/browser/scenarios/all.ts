import type { Scenario } from "../runner.ts";
import { nodesFilter } from "./nodes-filter.ts";
import { signIn } from "./sign-in.ts";

/** Every scenario, the quick ones first. */
export const SCENARIOS: readonly Scenario[] = [signIn, nodesFilter];
