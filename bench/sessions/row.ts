import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LoneCoordinator } from "../../tests/light-agents/coordinator.ts";
import { memoryMb, processorSeconds } from "../../tests/light-agents/figures.ts";
import { makeGroup } from "../../tests/light-agents/groups.ts";
import { type Joining, Swarm } from "../../tests/light-agents/swarm.ts";
import type { Row, World } from "../row.ts";
import { exactly } from "../spread.ts";

const SESSIONS = 10_000;
const HEARTBEAT_MS = 5_000;
const A_GROUP = 1_000;
const A_PROCESS = 2_500;
/**
 * Slow enough for both: else the quicker one would have its heartbeats in bursts, of which each costs less, since neither
 * side has to be woken for it.
 */
const CONNECT_MS = 20_000;
/** Until nobody is greeted any more, and what that cost has been let go of; and then for how long is measured. */
const SETTLE_MS = 15_000;
const MEASURE_MS = 20_000;

type Figures = { readonly kilobytes: number; readonly seconds: number };

/**
 * What 10,000 open sessions with a heartbeat every five seconds cost a coordinator: resident memory beyond what it has
 * before they come, for each of them, and time of the processor. Beside it, what they cost a bare `ws` server that
 * parses the same frames and answers with frames of the same shape, measured in the same way, by the same agents.
 */
export const sessionsRow: Row = {
  names: ["session-memory", "session-processor"],
  seconds: 180,
  waits: false,
  measure: async (world) => {
    const ours = await ofCoordinator(world);
    world.say(`coordinator: ${says(ours)}`);
    const bare = await ofBareServer(world);
    world.say(`bare ws: ${says(bare)}`);
    const about = `${SESSIONS} sessions with a heartbeat every ${HEARTBEAT_MS / 1000} s`;
    const beside = "a bare ws server with the same frames";
    const same = { beside, bound: 2, better: "lower" } as const;
    return [
      {
        name: "session-memory",
        what: `resident memory of each of ${about}`,
        unit: "kB",
        value: exactly(ours.kilobytes),
        peer: exactly(bare.kilobytes),
        ...same,
      },
      {
        name: "session-processor",
        what: `processor time of ${MEASURE_MS / 1000} s of ${about}`,
        unit: "s",
        value: exactly(ours.seconds),
        peer: exactly(bare.seconds),
        ...same,
      },
    ];
  },
};

const says = ({ kilobytes, seconds }: Figures): string =>
  `${kilobytes.toFixed(1)} kB a session, ${seconds.toFixed(2)} s of the processor`;

async function ofCoordinator({ dir, atEnd }: World): Promise<Figures> {
  const coordinator = await LoneCoordinator.start(dir, HEARTBEAT_MS);
  atEnd(coordinator.stop);
  const groups: Joining[][] = [];
  for (let at = 0; at * A_GROUP < SESSIONS; at += 1) {
    const made = await makeGroup(coordinator, `sessions-${at}`, A_GROUP, "independent");
    groups.push(...made.map((each) => [each]));
  }
  return figuresOf(coordinator.url, groups, atEnd, async () => {
    await coordinator.restart();
    return coordinator.pid;
  });
}

async function ofBareServer({ atEnd }: World): Promise<Figures> {
  const server = fork(join(import.meta.dirname, "bare-server.ts"), [`${HEARTBEAT_MS}`], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  atEnd(async () => end(server));
  const [port] = (await once(server.stdout as NonNullable<ChildProcess["stdout"]>, "data")) as [Buffer];
  const nodes = Array.from({ length: SESSIONS }, () => [{ name: "any", secret: "any", isQuorum: false }]);
  return figuresOf(`http://127.0.0.1:${port.toString().trim()}`, nodes, atEnd, async () => server.pid ?? 0);
}

/** `begin`: makes the server as it is before anybody comes, and answers its process. */
async function figuresOf(
  url: string,
  groups: readonly (readonly Joining[])[],
  atEnd: World["atEnd"],
  begin: () => Promise<number>,
): Promise<Figures> {
  const swarm = new Swarm(SESSIONS / A_PROCESS);
  atEnd(async () => swarm.kill());
  await swarm.start(groups, {
    url,
    build: { version: "1.0.0", buildHash: "0".repeat(64) },
    labels: {},
    connects: false,
    diaryDir: null,
    fetchMs: 0,
    restartMs: [1_000, 1_000],
    patienceMs: 60_000,
    reconnectMs: [500, 10_000],
  });
  const pid = await begin();
  await sleep(2_000);
  const emptyMb = await memoryMb(pid);
  await swarm.tell({ do: "connect", withinMs: CONNECT_MS });
  await swarm.untilOnline(SESSIONS, 120_000);
  await sleep(SETTLE_MS);
  const { reconnects: before } = await swarm.counts();
  const since = await processorSeconds(pid);
  await sleep(MEASURE_MS);
  const seconds = (await processorSeconds(pid)) - since;
  const kilobytes = (1024 * ((await memoryMb(pid)) - emptyMb)) / SESSIONS;
  const { online, reconnects } = await swarm.counts();
  if (online < SESSIONS || reconnects > before)
    throw new Error(`${online} of ${SESSIONS} are online, ${reconnects - before} were cut off`);
  swarm.kill();
  return { kilobytes, seconds };
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, "exit");
  server.kill();
  await ended;
}
