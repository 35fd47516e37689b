/** One process of the agent on its machine: what it is put together from, and what it says to who looks on. */
import type { Log } from "../../agent/effects/log.ts";
import { PROTOCOL } from "../../protocol/frames.ts";
import { type AgentProcess, assembleAgent } from "./agent-process.ts";
import type { SimBuild } from "./builds.ts";
import { schedulerOf } from "./clock.ts";
import type { NodeMachine } from "./node.ts";
import { type Life, ROOT } from "./node-parts.ts";
import { simWorkload } from "./workload.ts";

export type LifeWorld = {
  /** Which boot of the machine this is. */
  readonly boot: number;
  readonly instanceId: string;
  readonly wait: (ms: number) => Promise<void>;
  /** Reaches the process once its machine is awake and it is not hung. */
  readonly reach: (run: () => void) => void;
};

export function agentOf(node: NodeMachine, life: Life, build: SimBuild, world: LifeWorld): AgentProcess {
  const { parts, clock, name } = node;
  const { wait, reach } = world;
  const isAlive = () => life.alive;
  return assembleAgent({
    root: ROOT,
    build,
    builds: parts.builds,
    instanceId: world.instanceId,
    bootId: `boot-${world.boot}`,
    disk: node.disk.portFor(isAlive, reach),
    clock,
    scheduler: {
      after: (ms, run) => schedulerOf(clock, isAlive).after(ms, () => reach(run)),
    },
    random: parts.random,
    wire: {
      time: parts.time,
      network: parts.network,
      coordinator: parts.coordinator,
      node: name,
      credential: node.credential,
      protocol: parts.protocol ?? PROTOCOL,
      isAlive,
      reach,
      ended: (run) => life.endings.push(run),
    },
    mode: parts.mode,
    group: () => node.group,
    workload: simWorkload({
      name,
      cluster: parts.cluster,
      build,
      random: parts.random,
      luck: parts.luck,
      canHandOver: parts.canHandOver,
      wait,
      uptime: () => clock.uptime(),
      tell: (what) => parts.story.tell(name, what),
    }),
    policy: {},
    tries: 3,
    refunds: 3,
    log: logOf(node, life),
    wait,
    joinedGroup: (group) => {
      node.group = group;
    },
    opened: () => parts.story.tell(name, `session open, runs ${build.build.version}`),
  });
}

export const isOnTrial = ({ disk }: NodeMachine): boolean =>
  disk.tree.find(`${ROOT}/state/trial`, false) !== null;

/** `trial/ready`, as `agent/effects/notify.ts` leaves it. */
export async function leaveReady(node: NodeMachine, life: Life): Promise<void> {
  if (!isOnTrial(node)) return;
  try {
    const file = await node.disk.portFor(() => life.alive).open(`${ROOT}/state/trial/ready`, "create");
    await file.close();
  } catch (cause) {
    if (!(cause instanceof Error) || !("code" in cause)) throw cause;
  }
}

function logOf({ name, parts }: NodeMachine, life: Life): Log {
  const { story, wentWrong, entered } = parts;
  return {
    debug: () => undefined,
    info: (fields, message) => {
      if (message === "started") {
        const { state, journal } = fields as { state: string; journal: string };
        if (state !== "idle") story.tell(name, `starts in ${state} (journal ${journal})`);
        entered(name, state);
      }
      if (message !== "transition") return;
      const { from, event, to } = fields as { from: string; event: string; to: string };
      if (from === to) return;
      if (story.isTold) story.tell(name, `${from} -> ${to} (${event})`);
      entered(name, to);
    },
    warn: () => undefined,
    error: (fields, message) => {
      if (life.alive) wentWrong(name, message, fields);
    },
  };
}
