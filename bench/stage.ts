/** A small fleet at work: a coordinator, and agents under the demo's stand-in for systemd, by their real programs. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Fleet, type FleetOptions } from "../examples/demo/fleet.ts";
import type { Job } from "../protocol/job.ts";
import { Api } from "./api.ts";
import type { World } from "./row.ts";

/** As the unit has it: the agent says every 15 s that it lives. */
const WATCHDOG = { WATCHDOG_USEC: "30000000" };

export type Stage = {
  readonly fleet: Fleet;
  readonly api: Api;
  /** Publishes the same small bundle as another build. */
  readonly publish: (version: string) => Promise<void>;
};

/** Brings up nodes that run 1.0.0: the stock agent, with a workload that does nothing and has no hooks. */
export async function setStage(
  world: World,
  names: readonly string[],
  options: Pick<FleetOptions, "coordinator" | "agent" | "mode">,
): Promise<Stage> {
  const fleet = await startFleet(world, { ...options, restartMs: 0, env: WATCHDOG });
  const tree = join(fleet.dir, "tree");
  await mkdir(tree);
  await writeFile(join(tree, "workload.json"), JSON.stringify({ command: ["sleep", "infinity"] }));
  const bundle = async (version: string): Promise<string> => {
    const out = join(fleet.dir, `${version}.tar.zst`);
    // The same tree would be the same build, whatever its version.
    await writeFile(join(tree, "release"), version);
    await fleet.baton(["bundle", tree, "--version", version, "--out", out]);
    return out;
  };
  await fleet.startNodes(names, "bench", await bundle("1.0.0"));
  return {
    fleet,
    api: await Api.of(fleet),
    publish: async (version) => {
      await fleet.baton(["publish", await bundle(version)]);
    },
  };
}

/** A coordinator, which ends with the row; if the row fails, it and its agents are heard once more. */
export async function startFleet(
  { fleetDir, say, atEnd }: World,
  options: Partial<FleetOptions>,
): Promise<Fleet> {
  const fleet = new Fleet(fleetDir, options);
  atEnd(async (failed) => {
    if (failed) say(await fleet.logs());
    await fleet.stop({ keep: false });
  });
  await fleet.startCoordinator();
  return fleet;
}

/** Waits for a job, and throws unless it succeeds. */
export async function finished(api: Api, jobId: string): Promise<void> {
  for (;;) {
    const job = await api.call<Job>("GET", `/v1/jobs/${jobId}`);
    if (job.status === "succeeded") return;
    if (job.status !== "queued" && job.status !== "running") {
      throw new Error(`job ${jobId} ${job.status}: ${job.reason?.message ?? ""}`);
    }
    await sleep(100);
  }
}

/** When the coordinator heard the first hello of the node at or after an instant, milliseconds since 1970. */
export async function helloAfter(fleet: Fleet, nodeId: string, atMs: number): Promise<number> {
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline) {
    for (const text of (await readFile(fleet.coordinatorLog, "utf8")).split("\n")) {
      if (!text.includes('"session opened"') || !text.includes(nodeId)) continue;
      const { time } = JSON.parse(text) as { time: number };
      if (time >= atMs) return time;
    }
    await sleep(50);
  }
  throw new Error(`node ${nodeId} did not say hello within 30 s`);
}
