/**
 * Rolls a fleet of light agents in quorum groups against a real coordinator, and says how long that took beside the
 * time that the policy itself demands.
 *
 * What the policy demands: nobody of a group goes before the one before it is confirmed, and at most `concurrency`
 * groups are at work. A turn cannot be shorter than the node is away (`AWAY_MS`, which every light agent takes to
 * come back) and the time in which three heartbeats in a row are heard, of which the first comes at once: two intervals.
 * So it is (nodes / concurrency), rounded up, times that. Getting ready is not counted, nor anything that the
 * coordinator, the network or the machine take: the orders, reserving, committing, the last word, the next turn.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DEFAULTS } from "../../protocol/defaults.ts";
import type { RolloutSummary } from "../../protocol/rollout.ts";
import { LoneCoordinator } from "../../tests/light-agents/coordinator.ts";
import { makeQuorums } from "../../tests/light-agents/groups.ts";
import { Swarm } from "../../tests/light-agents/swarm.ts";

export type FleetOptions = {
  readonly agents: number;
  readonly groupsOf: number;
  readonly concurrency: number;
  readonly heartbeatMs: number;
  readonly dir: string;
  readonly say: (text: string) => void;
  readonly atEnd: (work: () => Promise<void>) => void;
};

export type Rolled = {
  readonly tookMs: number;
  readonly demandedMs: number;
  /** Time of the coordinator's processor while it rolled, and its memory at the end. */
  readonly processorSeconds: number;
  readonly memoryMb: number;
};

const AWAY_MS = 2_000;
const A_PROCESS = 5_000;
/** Longest that a rollout may take, as a multiple of what is demanded, before it is given up. */
const PATIENCE = 10;

export const demandedMs = ({
  agents,
  concurrency,
  heartbeatMs,
}: Omit<FleetOptions, "dir" | "say" | "atEnd">): number =>
  Math.ceil(agents / concurrency) * (AWAY_MS + (DEFAULTS.confirmAfterHeartbeats - 1) * heartbeatMs);

/** Throws when it does not end well, or when two of a group were down at once. */
export async function rollFleet(options: FleetOptions): Promise<Rolled> {
  const { agents, groupsOf, heartbeatMs, concurrency, dir, say, atEnd } = options;
  const diaryDir = join(dir, "diaries");
  await mkdir(diaryDir);
  const coordinator = await LoneCoordinator.start(dir, heartbeatMs);
  atEnd(coordinator.stop);
  const swarm = new Swarm(Math.ceil(agents / A_PROCESS));
  atEnd(async () => swarm.kill());
  const groups = await makeQuorums(coordinator, agents / groupsOf, groupsOf);
  say(`${groups.length} groups are made`);
  await swarm.start(groups, {
    url: coordinator.url,
    build: coordinator.first,
    labels: { fleet: "yes" },
    connects: true,
    diaryDir,
    fetchMs: 30_000,
    restartMs: [AWAY_MS, AWAY_MS],
    patienceMs: 60_000,
    reconnectMs: [heartbeatMs / 10, 2 * heartbeatMs],
  });
  await swarm.untilOnline(agents, 180_000);
  say(`${agents} agents are online`);
  await coordinator.publish("1.1.0");
  await sleep(5 * heartbeatMs);
  const since = await coordinator.processorSeconds();
  const { id } = await coordinator.call<{ id: string }>("POST", "/v1/rollouts", {
    body: { selection: { labels: { fleet: "yes" } }, release: "1.1.0", policy: { stages: [1], concurrency } },
  });
  const began = performance.now();
  const demanded = demandedMs(options);
  await untilRolled(coordinator, id, began + PATIENCE * demanded, say);
  const tookMs = performance.now() - began;
  const { complaints, mostDown } = await swarm.counts();
  if (complaints.length > 0 || mostDown > 1) throw new Error(complaints.join("; "));
  return {
    tookMs,
    demandedMs: demanded,
    processorSeconds: (await coordinator.processorSeconds()) - since,
    memoryMb: await coordinator.memoryMb(),
  };
}

async function untilRolled(
  coordinator: LoneCoordinator,
  id: string,
  deadline: number,
  say: (text: string) => void,
): Promise<void> {
  for (let looks = 0; ; looks += 1) {
    // The list's, without ten thousand nodes: looking is not to cost more than rolling.
    const { rollouts } = await coordinator.call<{ rollouts: RolloutSummary[] }>(
      "GET",
      "/v1/rollouts?limit=1",
    );
    const [rollout] = rollouts;
    if (rollout?.id !== id) throw new Error("the newest rollout is another one");
    const { status, counts } = rollout;
    if (looks % 10 === 0) say(`${status}: ${counts.succeeded} updated, ${counts.updating} at work`);
    if (status === "completed") return;
    if (status !== "pending" && status !== "running")
      throw new Error(`the rollout is ${status}: ${rollout.reason?.message ?? ""}`);
    if (performance.now() > deadline) throw new Error("the rollout takes too long");
    await sleep(500);
  }
}
