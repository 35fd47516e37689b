import type { House } from "./house.ts";
import type { TestAgent } from "./test-agent.ts";

/** Whoever went down in one round, as many as were down together. */
export type Went = readonly TestAgent[];

/**
 * One round of a rollout: everybody is heard and gets ready, whoever has its turn goes down, together with the others
 * that have theirs, and comes back: on the build that it was told, or, where `isBad` says so, back on the old one.
 */
export async function round(
  house: House,
  agents: readonly TestAgent[],
  isBad: (agent: TestAgent) => boolean = () => false,
): Promise<Went> {
  await house.beats(1, ...agents);
  for (const agent of agents) {
    const desired = agent.orders?.desired ?? null;
    // What it has prepared may be another job's, which has ended since.
    if (desired !== null && agent.update.jobId !== desired.jobId) await agent.prepare();
  }
  await house.beats(1, ...agents);
  const going = agents.filter((agent) => agent.orders?.turn != null);
  const trips: Trip[] = [];
  for (const agent of going) trips.push(await goDown(agent));
  for (const { agent, to } of trips) await agent.start(to);
  await house.beats(2, ...agents);
  for (const trip of trips) await (isBad(trip.agent) ? goBack(trip) : stay(trip));
  await house.beats(1, ...agents);
  return going;
}

/** Rounds until nobody has anything to do; who went down together in each. */
export async function rollOut(
  house: House,
  agents: readonly TestAgent[],
  isBad: (agent: TestAgent) => boolean = () => false,
): Promise<readonly Went[]> {
  const rounds: Went[] = [];
  for (let idle = 0; idle < 4; ) {
    const went = await round(house, agents, isBad);
    idle = went.length === 0 ? idle + 1 : 0;
    if (went.length > 0) rounds.push(went);
  }
  return rounds;
}

type Trip = {
  readonly agent: TestAgent;
  readonly token: number;
  readonly from: TestAgent["runs"];
  readonly to: TestAgent["runs"];
  readonly isRollback: boolean;
};

async function goDown(agent: TestAgent): Promise<Trip> {
  const from = agent.runs;
  const to = agent.orders?.desired?.build ?? agent.holdings.backup;
  if (to === null) throw new Error(`${agent.name} has nowhere to go`);
  const isRollback = agent.orders?.desired?.kind === "rollback";
  return { agent, from, to, isRollback, token: await agent.goDown() };
}

/** A node that was brought back on purpose holds the build that it is back on. */
async function stay({ agent, isRollback }: Trip): Promise<void> {
  agent.holdings = { ...agent.holdings, hold: isRollback };
  if (!(await agent.confirm())) throw new Error(`${agent.name} was not told to keep its build`);
}

async function goBack({ agent, token, from }: Trip): Promise<void> {
  const before = agent.holdings.backup;
  await agent.goBack(token, from);
  agent.holdings = { ...agent.holdings, backup: before === null ? null : agent.holdings.backup };
}

export const names = (rounds: readonly Went[]): readonly string[] =>
  rounds.map((went) => went.map((agent) => agent.name).join(" "));
