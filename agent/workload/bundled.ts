import type { HookCommand, Workload } from "../../protocol/build.ts";
import type { HealthReport } from "../../protocol/health.ts";
import { type Fault, ok, type Result } from "../../protocol/result.ts";
import type { DurationMs } from "../../protocol/time.ts";
import type { WorkloadControl } from "../core/ports.ts";
import type { Log } from "../effects/log.ts";
import { type Environment, workloadEnvironment } from "./environment.ts";
import { askHealth } from "./health.ts";
import { runHook } from "./run-hook.ts";
import { createSupervisor } from "./supervisor.ts";

export type WorkloadTimes = {
  readonly healthTimeoutMs: DurationMs;
  readonly hookTimeoutMs: DurationMs;
  /** What draining may take when version.json does not say. */
  readonly drainMs: DurationMs;
  /** Between SIGTERM and SIGKILL when version.json does not say. */
  readonly stopMs: DurationMs;
  readonly restartMinMs: DurationMs;
  readonly restartMaxMs: DurationMs;
};

export type BundledWorkloadOptions = {
  readonly workload: Workload;
  /** The release itself, not the link `dist`: a flip must not change what runs. */
  readonly dist: string;
  readonly env: Environment;
  /** The Node that runs the agent. */
  readonly runtime: string;
  readonly times: WorkloadTimes;
  readonly log: Log;
};

/**
 * The workload that `version.json` names: a program in any language that the agent supervises, and its hooks. Each
 * part may be missing: no command, nothing to supervise; no health hook, healthy while the program runs.
 */
export function createBundledWorkload(options: BundledWorkloadOptions): WorkloadControl {
  const { workload, dist, times, log } = options;
  const env = workloadEnvironment(options.env, dist, options.runtime);
  const { command, health, handover, drain, resume } = workload;
  const supervisor =
    command === undefined
      ? null
      : createSupervisor({
          command,
          cwd: dist,
          env,
          stopMs: workload.stopMs ?? times.stopMs,
          restart: { minMs: times.restartMinMs, maxMs: times.restartMaxMs },
          log,
        });
  const hook = async (
    name: string,
    command: HookCommand | undefined,
    limitMs: DurationMs,
    line: (text: string) => void,
    more: Environment = {},
  ): Promise<Result<void, Fault>> => {
    if (command === undefined) return ok(undefined);
    const run = await runHook({ name, command, cwd: dist, env: { ...env, ...more }, limitMs }, line);
    return run.ok ? ok(undefined) : run;
  };
  return {
    canHandOver: handover !== undefined,
    drainMs: drain === undefined ? 0 : (workload.drainMs ?? times.drainMs),
    start: async () => (supervisor === null ? ok(undefined) : supervisor.start()),
    stop: async () => supervisor?.stop(),
    health: async (): Promise<HealthReport> => {
      const down = supervisor?.down() ?? null;
      if (down !== null) return { healthy: false, detail: `The workload ${down}.` };
      if (health === undefined) return { healthy: true };
      return askHealth(health, { cwd: dist, env, limitMs: times.healthTimeoutMs });
    },
    handover: (peers, line) =>
      hook("handover", handover, times.hookTimeoutMs, line, { BATON_PEERS: JSON.stringify(peers) }),
    drain: (limitMs, line) => hook("drain", drain, limitMs, line),
    resume: async (line) => {
      const started = supervisor === null ? ok(undefined) : await supervisor.start();
      const resumed = await hook("resume", resume, times.hookTimeoutMs, line);
      return started.ok ? resumed : started;
    },
  };
}
