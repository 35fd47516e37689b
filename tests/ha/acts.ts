/** What happens to the coordinators and their database, one after the other, each in the middle of a rollout. */
import { setTimeout as sleep } from "node:timers/promises";
import { AGENTS, type Stage } from "./stage.ts";

export type Act = {
  readonly name: string;
  /** Something goes wrong now; resolves when it is over, and everything that was there is there again. */
  readonly fault: (stage: Stage) => Promise<void>;
};

/** How long the one that decides is suspended: longer than the seat waits. */
const SUSPENDED_MS = 8_000;

export const ACTS: readonly Act[] = [
  { name: "nothing goes wrong", fault: async () => undefined },
  { name: "who decides is killed", fault: (stage) => killed(stage) },
  { name: "who decides is suspended, and wakes up", fault: (stage) => suspended(stage) },
  {
    name: "who has just granted is killed",
    fault: async (stage) => {
      await stage.nextGrant();
      await killed(stage);
    },
  },
  {
    name: "who has just granted is suspended, and wakes up",
    fault: async (stage) => {
      await stage.nextGrant();
      await suspended(stage);
    },
  },
  {
    name: "killed between the grant of a lease and its reply",
    fault: (stage) => killedBeforeReply(stage, "/lease/reserve"),
  },
  {
    name: "killed between the leave to act and its reply",
    fault: (stage) => killedBeforeReply(stage, "/lease/commit"),
  },
  { name: "the database's replies to commits are lost", fault: repliesLost },
  { name: "all connections are reset, three times", fault: reset },
  { name: "the connection that listens is silently dead", fault: deafened },
  { name: "the connection that holds the seat is silently dead", fault: unseated },
  { name: "who decides is asked to leave", fault: drained },
  { name: "the primary is killed and the standby promoted", fault: failedOver },
];

/** A third of the fleet is through when it happens. */
export const THROUGH = Math.floor(AGENTS / 3);

async function killed({ coordinators }: Stage): Promise<void> {
  const holder = await coordinators.holder();
  coordinators.signal(holder, "SIGKILL");
  await coordinators.gone(holder);
  await sleep(3_000);
  await coordinators.serve(holder);
}

async function suspended({ coordinators }: Stage): Promise<void> {
  const holder = await coordinators.holder();
  coordinators.signal(holder, "SIGSTOP");
  await sleep(SUSPENDED_MS);
  coordinators.signal(holder, "SIGCONT");
}

/** The answer has left the coordinator, so that what it says is durable, and reaches nobody; and then it is killed. */
async function killedBeforeReply({ coordinators }: Stage, path: string): Promise<void> {
  const holder = await coordinators.holder();
  const hit = Promise.withResolvers<void>();
  const kill = (): void => {
    coordinators.signal(holder, "SIGKILL");
    hit.resolve();
  };
  coordinators.front.fault({ when: path, do: "lose-answer", times: 1, called: kill });
  await hit.promise;
  await coordinators.gone(holder);
  await sleep(2_000);
  await coordinators.serve(holder);
}

async function repliesLost({ coordinators, database }: Stage): Promise<void> {
  const ways = database.ways[await coordinators.holder()] ?? [];
  for (let times = 0; times < 5; times += 1) {
    for (const way of ways) way.fault({ when: "commit", do: "lose-answer", times: 1 });
    await sleep(400);
  }
}

async function reset({ coordinators, database }: Stage): Promise<void> {
  for (let times = 0; times < 3; times += 1) {
    coordinators.front.cut();
    for (const way of database.ways.flat()) way.cut();
    await sleep(2_000);
  }
}

/** Of every coordinator: who follows events there is told of them all the same. */
async function deafened({ database }: Stage): Promise<void> {
  const found = database.ways.flat().reduce((sum, way) => sum + way.silence("listen"), 0);
  if (found === 0) throw new Error("nobody listens");
  await sleep(3_000);
}

async function unseated({ coordinators, database }: Stage): Promise<void> {
  const holder = await coordinators.holder();
  const found = (database.ways[holder] ?? []).reduce((sum, way) => sum + way.silence("baton_seat"), 0);
  if (found === 0) throw new Error("nobody holds the seat");
  for (let looks = 0; (await coordinators.holder()) === holder; looks += 1) {
    if (looks === 100) throw new Error("the seat has not moved within ten seconds");
    await sleep(100);
  }
}

async function drained({ coordinators }: Stage): Promise<void> {
  const holder = await coordinators.holder();
  coordinators.signal(holder, "SIGTERM");
  await coordinators.gone(holder);
  await coordinators.serve(holder);
}

async function failedOver({ database }: Stage): Promise<void> {
  await database.failOver(1_000);
  await sleep(3_000);
  await database.mend();
}
