import type { Row } from "../row.ts";
import { exactly } from "../spread.ts";
import { rollFleet } from "./roll.ts";

const FLEET = { agents: 10_000, groupsOf: 5, concurrency: 500, heartbeatMs: 1_000 } as const;

/** Rolling a whole large fleet at one coordinator, beside the time that the policy itself demands: see `rollFleet`. */
export const fleetRow: Row = {
  names: ["fleet"],
  seconds: 200,
  waits: false,
  measure: async (world) => {
    const rolled = await rollFleet({ ...FLEET, ...world });
    const { agents, groupsOf, concurrency, heartbeatMs } = FLEET;
    return [
      {
        name: "fleet",
        what: `rolling ${agents} agents in ${agents / groupsOf} groups of ${groupsOf}, ${concurrency} groups at once, heartbeat ${heartbeatMs / 1000} s`,
        beside: "the time that this policy itself demands",
        unit: "s",
        value: exactly(rolled.tookMs / 1000),
        peer: exactly(rolled.demandedMs / 1000),
        bound: 1.25,
        better: "lower",
        note: `${rolled.processorSeconds.toFixed(0)} s of the coordinator's processor`,
      },
    ];
  },
};
