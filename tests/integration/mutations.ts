/** Mistakes that no rule of the simulation is about, each with the scenario that must find it. */
import type { Mutation } from "../simulation/mutate.ts";

/** `scenario`: its topic and its name. `says`: what the failure has in it. */
export type PlantedMistake = Mutation & { readonly scenario: string; readonly says: RegExp };

export const MUTATIONS: readonly PlantedMistake[] = [
  {
    name: "whoever waits for approval is brought along",
    file: "server-stub/service/catch-up.ts",
    from: 'node.value.membership !== "approved" || ',
    to: "",
    scenario: "formation: approval",
    says: /who waits for approval gets no job/,
  },
  {
    name: "a job that comes no further is never given up",
    file: "server-stub/core/job/stuck.ts",
    from: "return JSON.stringify([job.status, job.step, own?.state, own?.step, own?.percent]);",
    to: "return null;",
    scenario: "jobs: timed out when stuck",
    says: /never within/,
  },
  {
    name: "one missed heartbeat is offline",
    file: "server-stub/core/presence/presence.ts",
    from: "if (heardAtMs !== null && now - heardAtMs <= graceMs)",
    to: "if (heardAtMs !== null && now - heardAtMs <= graceMs / 3)",
    scenario: "failures: offline found by missed heartbeats",
    says: /two missed heartbeats are not three/,
  },
  {
    name: "a freeze of the fleet stops nobody",
    file: "server-stub/core/window/gate.ts",
    from: 'denyFrozen("The fleet", standing(fleet.freeze, now), now) ??',
    to: "",
    scenario: "windows and freezes: a freeze stops every beginning, and what is in flight finishes",
    says: /and nobody else begins/,
  },
  {
    name: "who has lost the seat goes on writing",
    file: "server-stub/store/seated.ts",
    from: 'store.apply([{ kind: "in-seat", claim }, ...changes])',
    to: "store.apply(changes)",
    scenario: "state: an engine that slept through its own succession writes nothing",
    says: /one-decides|another has the seat/,
  },
  {
    name: "no number of failures is too many",
    file: "server-stub/core/rollout/halt.ts",
    from: "budgets.findIndex((budget, at) => at <= rollout.stage && isOver(budget))",
    to: "budgets.findIndex((budget, at) => at > rollout.stage && isOver(budget))",
    scenario: "rollouts: too many failures take everybody back",
    says: /2 of 4 nodes were updated, 0 skipped, 2 failed/,
  },
];
