/**
 * Baton as a library: a Node program that updates itself. It is the entry of its own bundle, calls `runAgent`, and
 * says how it starts, how it is, and how it steps aside.
 */
import { reportFault } from "./cli/world.ts";
import { readConfig } from "./config.ts";
import { realDisk } from "./effects/disk.ts";
import { findRunning } from "./running.ts";
import type { InProcessWorkload } from "./workload/in-process.ts";

export type { Peer } from "../protocol/frames.ts";
export type { HealthReport } from "../protocol/health.ts";
export type { InProcessWorkload } from "./workload/in-process.ts";

export type RunAgentOptions = {
  readonly workload: InProcessWorkload;
  /** Path of the settings; `BATON_CONFIG`, else `/etc/baton/agent.toml`, by default. */
  readonly config?: string;
};

/**
 * Runs the agent in this process, with `workload` as what it keeps up to date. Resolves when the agent is ready; the
 * agent then ends the process itself: with 75 when another build is to be started, with 0 when it was told to stop.
 * Exits with 2 when the settings are wrong, with 5 when another agent has the state directory.
 *
 * Started with `--self-test`, it says whether this build could run on this node, and exits; the workload is not
 * started. May be called once.
 */
export async function runAgent({ workload, config: named }: RunAgentOptions): Promise<void> {
  const running = findRunning(process.argv[1]);
  if (process.argv.includes("--self-test")) {
    const { runSelfTest } = await import("./run-self-test.ts");
    await runSelfTest(running, named);
    return;
  }
  const config = await readConfig(named);
  const started = config.ok
    ? await import("./daemon.ts").then(({ runDaemon }) =>
        runDaemon({ disk: realDisk, config: config.value, running, env: process.env, workload }),
      )
    : config;
  if (!started.ok) {
    const err = (text: string) => void process.stderr.write(text);
    process.exit(reportFault({ err }, started.error, false));
  }
}
