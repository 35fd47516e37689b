import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fleet } from "../../examples/demo/fleet.ts";
import { DEFAULTS } from "../../protocol/defaults.ts";
import type { Rollout } from "../../protocol/rollout.ts";
import type { Row } from "../row.ts";
import { spreadOf } from "../spread.ts";
import { helloAfter, type Stage, setStage } from "../stage.ts";

const VERSIONS = ["1.1.0", "1.2.0", "1.3.0"];
const NAMES = ["anna", "bert", "cleo"];

/**
 * Rolling a quorum group of three at default timings: from the first node's turn to the last one's confirm, at a
 * real coordinator with three agents under the stand-in for systemd. Beside it, what no rollout can be spared: each
 * node's restart, as it was measured in the same rollout, and the time of three heartbeats after it.
 */
export const rollingRow: Row = {
  names: ["rolling"],
  seconds: 55 * VERSIONS.length,
  waits: true,
  measure: async (world) => {
    const stage = await setStage(world, NAMES, { coordinator: "", agent: "", mode: "quorum" });
    const value: number[] = [];
    const peer: number[] = [];
    for (const version of VERSIONS) {
      await stage.publish(version);
      const rolled = await roll(stage, version);
      world.say(
        `${version} is rolled out: ${rolled.tookMs / 1000} s, restarts ${rolled.restartsMs.join(", ")} ms`,
      );
      value.push(rolled.tookMs / 1000);
      peer.push(leastMs(rolled.restartsMs) / 1000);
    }
    return [
      {
        name: "rolling",
        what: `${NAMES.length} prepared nodes at default timings, first turn to last confirm`,
        beside: "their restarts and three heartbeats each",
        unit: "s",
        value: spreadOf(value),
        peer: spreadOf(peer),
        bound: 1.1,
        better: "lower",
      },
    ];
  },
};

const leastMs = (restartsMs: readonly number[]): number =>
  restartsMs.reduce((sum, ms) => sum + ms + DEFAULTS.confirmAfterHeartbeats * DEFAULTS.heartbeatMs, 0);

async function roll(
  { fleet, api }: Stage,
  release: string,
): Promise<{ tookMs: number; restartsMs: readonly number[] }> {
  const beganMs = Date.now();
  const exits = new Map<string, number>();
  for (const { name, service } of fleet.nodes) service.once("exited", (atMs) => exits.set(name, atMs));
  const { id } = await api.call<Rollout>("POST", "/v1/rollouts", {
    selection: { groups: ["bench"] },
    release,
  });
  const rollout = await ended(api, id);
  if (rollout.status !== "completed") throw new Error(`the rollout is ${rollout.status}`);
  const restartsMs: number[] = [];
  for (const { name, nodeId } of rollout.nodes) {
    const exitedMs = exits.get(name);
    if (exitedMs === undefined) throw new Error(`${name} was updated without a restart`);
    restartsMs.push((await helloAfter(fleet, nodeId, exitedMs)) - exitedMs);
  }
  const lastMs = Math.max(...rollout.nodes.map((node) => node.endedAt ?? 0));
  return { tookMs: lastMs - (await firstTurn(fleet, beganMs)), restartsMs };
}

async function ended(api: Stage["api"], id: string): Promise<Rollout> {
  for (;;) {
    const rollout = await api.call<Rollout>("GET", `/v1/rollouts/${id}`);
    if (!["pending", "running"].includes(rollout.status)) return rollout;
    await sleep(1000);
  }
}

/** When the first agent took its turn, by the agents' own logs: they leave `prepared` for `reserving`. */
async function firstTurn(fleet: Fleet, sinceMs: number): Promise<number> {
  let first = Number.POSITIVE_INFINITY;
  for (const { home } of fleet.nodes) {
    for (const text of (await readFile(join(home, "journal.log"), "utf8")).split("\n")) {
      if (!text.includes('"to":"reserving"')) continue;
      const at = Date.parse((JSON.parse(text) as { time: string }).time);
      if (at >= sinceMs) first = Math.min(first, at);
    }
  }
  if (!Number.isFinite(first)) throw new Error("no agent took a turn");
  return first;
}
