/** A child process with a share of the light agents. Started by `swarm.ts`, which it answers, and with which it ends. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent } from "undici";
import type { JoinReply } from "../../protocol/access.ts";
import { Diary } from "./diary.ts";
import { GroupWatch } from "./group-watch.ts";
import { LightAgent } from "./light-agent.ts";
import type { Answer, Asked, Counts, Joining, Start } from "./swarm.ts";

/** Joins at once. */
const JOINING = 16;

const watch = new GroupWatch();
const agents: LightAgent[] = [];
let answeredMs: number[] = [];
let errors = 0;

const answeredIn = (ms: number): void => {
  if (Number.isNaN(ms)) errors += 1;
  else answeredMs.push(ms);
};

/** One address has ports for so many connections to the same server, and to spare. */
const A_ADDRESS = 2_000;

async function start({ url, build, nodes, labels, connects, diaryDir, ...how }: Start): Promise<void> {
  const dispatcher = new Agent({ connections: 64, headersTimeout: 30_000, bodyTimeout: 30_000 });
  const diary = diaryDir === null ? null : new Diary(join(diaryDir, `${process.pid}.jsonl`));
  const left = [...nodes];
  const joinOne = async ({ name, secret, isQuorum }: Joining): Promise<void> => {
    const { statusCode, body } = await dispatcher.request({
      origin: url,
      path: "/v1/join",
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token: secret, name, labels }),
    });
    const said = await body.text();
    if (statusCode !== 201) throw new Error(`joining was answered with ${statusCode}: ${said}`);
    const from = `127.0.${process.pid % 250}.${1 + Math.floor(agents.length / A_ADDRESS)}`;
    const world = { ...how, url, dispatcher, watch: isQuorum ? watch : null, diary, from, answeredIn };
    const agent = new LightAgent(world, JSON.parse(said) as JoinReply, build);
    agents.push(agent);
    if (connects) agent.start();
  };
  const joinRest = async (): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) await joinOne(next);
  };
  await Promise.all(Array.from({ length: JOINING }, joinRest));
}

/** Evenly over that time. */
async function connectAll(withinMs: number): Promise<void> {
  const began = performance.now();
  for (const [at, agent] of agents.entries()) {
    const waitMs = began + (withinMs * at) / agents.length - performance.now();
    if (waitMs > 1) await sleep(waitMs);
    agent.start();
  }
}

/** So many of the agents, spread over all of them. */
const some = (share: number): LightAgent[] => {
  const count = Math.ceil(agents.length * share);
  const step = Math.floor(agents.length / count);
  return agents.filter((_, at) => at % step === 0).slice(0, count);
};

function counts(): Counts {
  const ms = answeredMs;
  answeredMs = [];
  const jobs = agents.flatMap(({ record }) => Object.values(record.jobs));
  return {
    online: agents.filter((agent) => agent.isOnline).length,
    busy: agents.filter((agent) => !agent.isIdle).length,
    reconnects: agents.reduce((sum, agent) => sum + agent.reconnects, 0),
    lines: jobs.reduce((sum, job) => sum + job.acknowledged, 0),
    ended: jobs.filter((job) => job.ended).length,
    leases: agents.reduce(
      (sum, { record }) => sum + record.leases.filter((each) => each.committed).length,
      0,
    ),
    errors,
    mostDown: watch.mostDown,
    answeredMs: ms,
    complaints: [...watch.complaints, ...agents.flatMap(({ record }) => record.complaints)].slice(0, 20),
  };
}

async function answer(asked: Asked): Promise<Answer["value"]> {
  switch (asked.do) {
    case "start":
      await start(asked);
      return null;
    case "connect":
      await connectAll(asked.withinMs);
      return null;
    case "counts":
      return counts();
    case "records":
      return agents.map(({ record }) => record);
    case "cut":
      for (const agent of agents) agent.cut();
      return null;
    case "stall":
      for (const [at, agent] of some(asked.share).entries()) agent.stall(at % 2 === 0 ? 50 : 1);
      return null;
    case "unstall":
      for (const agent of agents) agent.unstall();
      return null;
    case "vanish":
      for (const agent of some(asked.share)) agent.vanish();
      return null;
    case "bury":
      for (const agent of agents) agent.bury();
      return null;
    case "flood":
      for (const [at, agent] of some(asked.share).entries()) agent.flood(at % 2 === 0 ? 3_000 : 6_000, 900);
      return null;
    case "end":
      for (const agent of agents) agent.end();
      setImmediate(() => process.exit(0));
      return null;
  }
}

process.on("message", (message: { readonly id: number; readonly asked: Asked }) => {
  answer(message.asked).then(
    (value) => process.send?.({ id: message.id, value, error: null } satisfies Answer),
    (error: unknown) =>
      process.send?.({ id: message.id, value: null, error: String(error) } satisfies Answer),
  );
});
process.on("disconnect", () => process.exit(0));
