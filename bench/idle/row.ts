import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fleet } from "../../examples/demo/fleet.ts";
import { DEFAULTS } from "../../protocol/defaults.ts";
import type { Row } from "../row.ts";
import { quantile, spreadOf } from "../spread.ts";
import { setStage } from "../stage.ts";
import { cpuMsOf, memoryOf } from "./process.ts";

const MINUTE_MS = 60_000;
const NAMES = ["anna", "bert", "cleo"];

/**
 * What an agent costs that has nothing to do, 60 seconds after its first poll: three of them under the stand-in for
 * systemd at default timings, each with a session, telling the watchdog that it lives, and with a workload without
 * hooks; what a health hook costs is the hook's. They poll every minute instead of every five, so that the bench
 * need not wait. Beside them, as many bare Node processes of the same age.
 */
export const idleRow: Row = {
  names: ["idle-memory", "idle-cpu"],
  seconds: 140,
  waits: true,
  measure: async (world) => {
    const stage = await setStage(world, NAMES, {
      coordinator: "",
      agent: '[poll]\nschedule = "* * * * *"\njitter_ms = 1',
      mode: "quorum",
    });
    const bare = NAMES.map(() => spawn(process.execPath, ["--eval", "setInterval(() => {}, 2 ** 30)"]));
    world.atEnd(async () => bare.forEach((child) => void child.kill("SIGKILL")));
    const agents = stage.fleet.nodes.map(({ service }) => service.pid ?? 0);
    const nodes = bare.map(({ pid }) => pid ?? 0);
    const pollInMs = MINUTE_MS - (Date.now() % MINUTE_MS);
    world.say(`the agents poll in ${Math.round(pollInMs / 1000)} s, and a minute later they are measured`);
    // A second later, so that the poll which ends the minute belongs to it.
    await sleep(pollInMs + 1_000);
    const before = await Promise.all(agents.map(cpuMsOf));
    const beganMs = performance.now();
    await sleep(MINUTE_MS);
    const used = (await Promise.all(agents.map(cpuMsOf))).map((ms, at) => ms - (before[at] ?? 0));
    const lastedMs = performance.now() - beganMs;
    const [ofAgents, ofNodes] = [
      await Promise.all(agents.map(memoryOf)),
      await Promise.all(nodes.map(memoryOf)),
    ];
    await expectPolled(stage.fleet, agents);
    return [
      {
        name: "idle-memory",
        what: "an agent 60 s after its first poll (RSS)",
        beside: "bare Node",
        unit: "MB",
        value: spreadOf(ofAgents.map(({ rssMb }) => rssMb)),
        peer: spreadOf(ofNodes.map(({ rssMb }) => rssMb)),
        bound: 2,
        better: "lower",
        note: `PSS ${pssOf(ofAgents)} MB against ${pssOf(ofNodes)} MB`,
      },
      {
        name: "idle-cpu",
        what: `its CPU over a minute, its children's included, heartbeat ${DEFAULTS.heartbeatMs / 1000} s`,
        beside: "the minute, on one core",
        unit: "ms",
        value: spreadOf(used),
        peer: spreadOf([lastedMs]),
        bound: 0.002,
        better: "lower",
      },
    ];
  },
};

const pssOf = (all: readonly { pssMb: number | null }[]): string => {
  const known = all.flatMap(({ pssMb }) => pssMb ?? []);
  return known.length === 0 ? "unknown" : Math.round(quantile(known, 0.5)).toString();
};

/** Otherwise something else was measured than what the row says. */
async function expectPolled(fleet: Fleet, pids: readonly number[]): Promise<void> {
  for (const [at, node] of fleet.nodes.entries()) {
    if (node.service.pid !== pids[at]) throw new Error(`${node.name} was restarted while it was measured`);
    const { out } = await fleet.agent(node, ["status", "--json"]);
    const { poll } = JSON.parse(out) as { poll: { lastAt: number | null } };
    if (poll.lastAt === null) throw new Error(`${node.name} has not polled`);
  }
}
