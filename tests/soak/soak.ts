/** The soak: sets the stage, plays the phases, waits until all is quiet, and judges. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { JoinReply } from "../../protocol/access.ts";
import { LoneCoordinator } from "../light-agents/coordinator.ts";
import { makeGroup, makeQuorums } from "../light-agents/groups.ts";
import { type Joining, Swarm } from "../light-agents/swarm.ts";
import { compare } from "./compare.ts";
import { Follower } from "./follower.ts";
import { PHASES } from "./phases.ts";
import { Probe } from "./probe.ts";
import { Rollouts } from "./rollouts.ts";
import { Timeline } from "./timeline.ts";
import { BOUNDS, cleanVerdict, latencyVerdicts, memoryVerdicts, type Verdict } from "./verdicts.ts";

export type SoakOptions = {
  readonly sessions: number;
  readonly minutes: number;
  readonly heartbeatMs: number;
  /** Between the end of an agent's process and its next start, at most. */
  readonly restartMs: number;
  readonly print: (line: string) => void;
};

/** Nine in ten sessions are of quorum groups of three, the rest of one group of independent nodes. */
const VOTERS = 3;
const IN_QUORUMS = 0.9;
const A_PROCESS = 500;
const QUIET_WITHIN_MS = 180_000;

export async function soak(options: SoakOptions): Promise<readonly Verdict[]> {
  const { sessions, minutes, print } = options;
  const dir = await mkdtemp(join(tmpdir(), "baton-soak-"));
  const swarm = new Swarm(Math.max(2, Math.ceil(sessions / A_PROCESS)));
  let coordinator: LoneCoordinator | undefined;
  try {
    coordinator = await LoneCoordinator.start(dir, options.heartbeatMs);
    const secret = await operator(coordinator, "follower");
    const rudeOperator = await operator(coordinator, "rude");
    const [rude, probing] = await lonelyNodes(coordinator);
    const groups = await makeGroups(coordinator, sessions);
    const began = performance.now();
    const { url } = coordinator;
    await swarm.start(groups, {
      url,
      build: coordinator.first,
      labels: { soak: "yes" },
      connects: true,
      diaryDir: null,
      fetchMs: 5_000,
      restartMs: [options.restartMs / 2, options.restartMs],
      patienceMs: 30_000,
      reconnectMs: [500, 10_000],
    });
    await swarm.untilOnline(sessions, 120_000);
    print(
      `${sessions} sessions joined and are online after ${((performance.now() - began) / 1000).toFixed(1)} s`,
    );
    const follower = new Follower(url, secret);
    const probe = new Probe(coordinator, probing, dir);
    const rollouts = new Rollouts(coordinator, Math.max(10, Math.ceil(sessions / 20)));
    const timeline = new Timeline({ coordinator, swarm, probe, rollouts }, print);
    for (const { name, share, play } of PHASES) {
      timeline.begin(name);
      const stage = { coordinator, swarm, sessions, rudeOperator, rudeNode: rude.credential };
      await play(stage, share * minutes * 60_000);
    }
    await rollouts.end();
    const quiet = await untilQuiet(swarm, coordinator, sessions);
    await timeline.end();
    await probe.end();
    // The last events are told within a moment.
    await sleep(2_000);
    const verdicts = await compare(coordinator, await swarm.records(), follower);
    const counts = await swarm.counts();
    const descriptors = await coordinator.descriptors();
    await follower.end();
    return [
      ...memoryVerdicts(timeline.phases),
      ...verdicts,
      cleanVerdict(
        "never two of a quorum group were down, and no agent was wronged",
        counts.complaints,
        `${counts.leases} turns, ${counts.mostDown} down at once at most, ${counts.reconnects} reconnects`,
      ),
      ...latencyVerdicts(timeline.phases),
      {
        name: "all are back, and nothing is left over",
        ok: counts.online === sessions && quiet !== null && descriptors <= sessions + BOUNDS.descriptors,
        says: `${counts.online} of ${sessions} online, ${descriptors} files and sockets open (${sessions + BOUNDS.descriptors} allowed), ${quiet === null ? `${counts.busy} agents still at work` : `all at rest within ${(quiet / 1000).toFixed(0)} s`}`,
      },
      {
        name: "rollouts went on",
        ok: counts.ended > 0,
        says: `${rollouts.started} started, ${rollouts.completed} completed, ${rollouts.halts} times halted and tried again, ${counts.ended} nodes updated`,
      },
    ];
  } catch (error) {
    const log = coordinator === undefined ? "" : await readFile(coordinator.logFile, "utf8");
    print(log.slice(-4_000));
    throw error;
  } finally {
    swarm.kill();
    await coordinator?.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

async function operator(coordinator: LoneCoordinator, name: string): Promise<string> {
  const body = { name, role: "viewer" };
  return (await coordinator.call<{ secret: string }>("POST", "/v1/tokens", { body })).secret;
}

/** Two that no rollout touches. */
async function lonelyNodes(coordinator: LoneCoordinator): Promise<[JoinReply, JoinReply]> {
  const [first, second] = await makeGroup(coordinator, "lonely", 2, "independent");
  const join = ({ name, secret }: Joining | undefined = { name: "", secret: "", isQuorum: false }) =>
    coordinator.call<JoinReply>("POST", "/v1/join", { body: { token: secret, name } });
  return [await join(first), await join(second)];
}

async function makeGroups(coordinator: LoneCoordinator, sessions: number): Promise<Joining[][]> {
  const quorums = Math.floor((sessions * IN_QUORUMS) / VOTERS);
  const groups = await makeQuorums(coordinator, quorums, VOTERS);
  const rest = sessions - quorums * VOTERS;
  const independent = await makeGroup(coordinator, "edge", rest, "independent");
  return [...groups, ...independent.map((each) => [each])];
}

/** Nobody is under way, everybody is there, and the sockets of those who were rude are gone: how long that took, or null. */
async function untilQuiet(
  swarm: Swarm,
  coordinator: LoneCoordinator,
  sessions: number,
): Promise<number | null> {
  const began = performance.now();
  while (performance.now() < began + QUIET_WITHIN_MS) {
    const { busy, online } = await swarm.counts();
    const open = await coordinator.descriptors();
    if (busy === 0 && online === sessions && open <= sessions + BOUNDS.descriptors)
      return performance.now() - began;
    await sleep(1_000);
  }
  return null;
}
