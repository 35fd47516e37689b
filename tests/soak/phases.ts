/** What the coordinator is put through, one after the other. */
import { setTimeout as sleep } from "node:timers/promises";
import type { LoneCoordinator } from "../light-agents/coordinator.ts";
import type { Swarm } from "../light-agents/swarm.ts";
import { RudeSockets } from "./rude-sockets.ts";

export type Stage = {
  readonly coordinator: LoneCoordinator;
  readonly swarm: Swarm;
  readonly sessions: number;
  /** Secrets of operators and of a node, who are used for nothing else. */
  readonly rudeOperator: string;
  readonly rudeNode: string;
};

export type Phase = {
  readonly name: string;
  /** Of the whole time. */
  readonly share: number;
  readonly play: (stage: Stage, lastsMs: number) => Promise<unknown>;
};

/** A token may have 50 streams of events. */
const UNREAD_STREAMS = 50;

export const PHASES: readonly Phase[] = [
  { name: "calm", share: 0.15, play: (_stage, lastsMs) => sleep(lastsMs) },
  { name: "storms", share: 0.2, play: storms },
  { name: "slow readers", share: 0.15, play: slowReaders },
  { name: "half-open", share: 0.15, play: halfOpen },
  { name: "log floods", share: 0.15, play: logFloods },
  { name: "all at once", share: 0.05, play: allAtOnce },
  { name: "afterwards", share: 0.15, play: (_stage, lastsMs) => sleep(lastsMs) },
];

/** All are cut off at once and come back at once; then the coordinator is killed, and comes back to all of them. */
async function storms({ swarm, coordinator }: Stage, lastsMs: number): Promise<void> {
  await swarm.tell({ do: "cut" });
  await sleep(lastsMs / 3);
  await swarm.tell({ do: "cut" });
  await sleep(lastsMs / 3);
  await coordinator.crash();
  await sleep(lastsMs / 3);
}

/** Agents that speak, some of them without pause, and read no answer; operators who ask for events and read none. */
async function slowReaders(stage: Stage, lastsMs: number): Promise<void> {
  await withRude(stage, async (rude) => {
    rude.open("unread-events", UNREAD_STREAMS, stage.rudeOperator);
    await stage.swarm.tell({ do: "stall", share: 0.05 });
    await sleep(lastsMs);
    await stage.swarm.tell({ do: "unstall" });
  });
}

/** Machines that vanish without a word, and come back by another connection; requests and sessions half begun. */
async function halfOpen(stage: Stage, lastsMs: number): Promise<void> {
  await withRude(stage, async (rude) => {
    rude.open("half-a-request", Math.ceil(stage.sessions / 20), stage.rudeOperator);
    rude.open("no-hello", Math.ceil(stage.sessions / 20), stage.rudeNode);
    await stage.swarm.tell({ do: "vanish", share: 0.2 });
    await sleep(lastsMs / 2);
    await stage.swarm.tell({ do: "vanish", share: 0.2 });
    await sleep(lastsMs / 2);
    await stage.swarm.tell({ do: "bury" });
  });
}

/** Logs of hooks that print without end: some up to what is kept of one job, some far beyond. */
async function logFloods({ swarm }: Stage, lastsMs: number): Promise<void> {
  await swarm.tell({ do: "flood", share: 0.02 });
  await sleep(lastsMs);
}

async function allAtOnce(stage: Stage, lastsMs: number): Promise<void> {
  await withRude(stage, async (rude) => {
    rude.open("unread-events", UNREAD_STREAMS, stage.rudeOperator);
    rude.open("no-hello", Math.ceil(stage.sessions / 20), stage.rudeNode);
    await stage.swarm.tell({ do: "stall", share: 0.03 });
    await stage.swarm.tell({ do: "flood", share: 0.01 });
    await stage.swarm.tell({ do: "vanish", share: 0.1 });
    await stage.swarm.tell({ do: "cut" });
    await sleep(lastsMs);
    await stage.swarm.tell({ do: "unstall" });
    await stage.swarm.tell({ do: "bury" });
  });
}

async function withRude({ coordinator }: Stage, work: (rude: RudeSockets) => Promise<void>): Promise<void> {
  const rude = new RudeSockets(coordinator.url);
  try {
    await work(rude);
  } finally {
    rude.close();
  }
}
