/** What the exploration has to find: all that looks as if it could be left out of the sources, left out. */
import { AGENT_MUTATIONS } from "./mutations/agent.ts";
import { COORDINATOR_MUTATIONS } from "./mutations/coordinator.ts";
import type { Mutation } from "./mutations/mutation.ts";

export const MUTATIONS: readonly Mutation[] = [...COORDINATOR_MUTATIONS, ...AGENT_MUTATIONS];
