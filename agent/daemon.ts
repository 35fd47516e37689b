/**
 * The agent as a process: everything with an effect is made here, put together, started and ended. Nothing else
 * knows of all parts.
 *
 * Invariants: READY is said after the local start and never waits for the coordinator; what can be done without the
 * coordinator (the workload, the control socket, going back) is done without it; exit 75 is as quick as it can be,
 * since the service is down from here until the next start says hello.
 */
import { randomUUID } from "node:crypto";
import type { UpdateReport } from "../protocol/frames.ts";
import { err, type Fault, ok, type Result } from "../protocol/result.ts";
import type { Config } from "./config.ts";
import { startControlServer } from "./control/server.ts";
import { createControlPort } from "./control-port.ts";
import { crashesAfter, readCrashes } from "./core/crashes.ts";
import { DEFAULT_POLICY, type Policy } from "./core/machine/facts.ts";
import type { WorkloadControl } from "./core/ports.ts";
import { createDiagnoser } from "./diagnose.ts";
import { readBootId } from "./effects/boot-id.ts";
import { realClock } from "./effects/clock.ts";
import type { Disk } from "./effects/disk.ts";
import { JOB_LOG_LIMITS } from "./effects/job-log.ts";
import { layoutOf } from "./effects/layout.ts";
import { createLog, type Log } from "./effects/log.ts";
import { createLogTail } from "./effects/log-tail.ts";
import { createNotifier } from "./effects/notify.ts";
import { realScheduler } from "./effects/scheduler.ts";
import { listenForSignals } from "./effects/signals.ts";
import { createLink } from "./link.ts";
import { createAgent } from "./runner.ts";
import type { Running } from "./running.ts";
import { startPolling } from "./schedule.ts";
import { networkOf } from "./session/network.ts";
import { createBundledWorkload } from "./workload/bundled.ts";
import { createInProcessWorkload, type InProcessWorkload } from "./workload/in-process.ts";

export type DaemonOptions = {
  /** Everything that the daemon writes below its state directory goes through it, but for the lock. */
  readonly disk: Disk;
  readonly config: Config;
  readonly running: Running;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** What runs in this process; without it, what `version.json` names is supervised. */
  readonly workload: InProcessWorkload | null;
};

export type Daemon = {
  readonly log: Log;
  /** Ends it in order, as SIGTERM does. */
  readonly stop: () => void;
  /** Looks whether `ca_file` has changed, as SIGHUP does. */
  readonly reload: () => void;
  /** The exit status, once everything is over: 0, or 75 when `dist` names another build. */
  readonly ended: Promise<0 | 75>;
};

/** Starts the agent; done when it is ready. Errors: `already-running`, `lock-failed`. Nothing is left of it then. */
export async function startDaemon(options: DaemonOptions): Promise<Result<Daemon, Fault>> {
  const { disk, config, running, env } = options;
  const tail = createLogTail();
  const log = createLog(config.logLevel, {}, (line) => tail.add(line));
  const layout = layoutOf(config.stateDir);
  const instanceId = randomUUID();
  const startedAt = realClock.now();
  const workload = createWorkload(options, log);
  const network = networkOf(config, env, log);
  const crashes = countCrashes(env, () => agent.status().update.state);
  const diagnoser = createDiagnoser({
    look: async () => {
      const { lookAtNode } = await import("./doctor/look.ts");
      const self = { status: () => port.status(), crashes };
      return lookAtNode({ config, settingsFault: null, env, running, network, self });
    },
    tail,
    read: (jobId) => agent.logLines(jobId, 0, JOB_LOG_LIMITS.maxLines),
    write: (jobId, text) => agent.note(jobId, text),
    done: () => link.tell(),
    log,
  });
  const link = createLink({ disk, config, running, layout, env, network, diagnoser, crashes, log });
  const notifier = createNotifier({ disk, env, pid: process.pid, trialDir: layout.trial, log });
  const agent = createAgent({
    disk,
    clock: realClock,
    scheduler: realScheduler,
    log,
    lease: link.lease,
    preparer: link.preparer,
    workload,
    stateDir: config.stateDir,
    running: running.build,
    instanceId,
    bootId: readBootId(),
    policy: policyOf(config, workload),
    trial: { tries: config.probation.tries, refunds: config.probation.refunds },
    healthEveryMs: config.health.everyMs,
  });
  log.info({ build: running.build, pid: process.pid, instanceId, config: config.file }, "agent starts");
  const started = await agent.start();
  if (!started.ok) return started;
  // Hello is what the coordinator waits for; nothing of what follows has to be there before it.
  const linking = link.start(agent);
  const polling = startPolling({
    ...config.poll,
    poll: () => link.poll(),
    now: () => realClock.now(),
    random: Math.random,
    log,
  });
  const port = createControlPort({
    agent,
    link,
    polling,
    startedAt,
    install: async (kit) => {
      const { takeKit } = await import("./install-kit.ts");
      return takeKit({
        disk,
        kit,
        agent,
        layout,
        running,
        env,
        selfTestTimeoutMs: config.update.selfTestTimeoutMs,
      });
    },
  });
  const control = await openControl(config.controlSocket, port, log);
  await notifier.ready();
  log.info({ state: agent.status().update.state }, "agent is ready");
  await linking;

  const end = async (): Promise<0 | 75> => {
    const { code } = await agent.finished;
    log.info({ code }, "agent ends");
    if (code === 75) return code;
    await notifier.stopping();
    polling.stop();
    await link.stop();
    await control?.close();
    return code;
  };
  return ok({ log, stop: () => agent.stop(), reload: () => link.lookAtAuthorities(), ended: end() });
}

/**
 * How often in a row what runs has crashed. A build on probation is the guard's to count, and one that is kept begins
 * anew: what is told is of confirmed builds alone.
 */
function countCrashes(env: Readonly<NodeJS.ProcessEnv>, state: () => UpdateReport["state"]): () => number {
  const counted = readCrashes(env);
  const startedAt = realClock.uptime();
  let isOnTrial = false;
  return () => {
    isOnTrial ||= ON_TRIAL.includes(state());
    return isOnTrial ? 0 : crashesAfter(counted, realClock.uptime() - startedAt);
  };
}

const ON_TRIAL: readonly UpdateReport["state"][] = ["probation", "confirming", "going-back"];

/** Without its control socket an agent is worth much; without the agent, the control socket is not. */
async function openControl(path: string, port: Parameters<typeof startControlServer>[1], log: Log) {
  try {
    const server = await startControlServer(path, port, log);
    if (server.ok) return server.value;
    log.error({ code: server.error.code }, server.error.message);
  } catch (cause) {
    log.error(
      { cause, path },
      "the control socket cannot be opened; the agent command will not reach this agent",
    );
  }
  return null;
}

function createWorkload({ config, running, env, workload }: DaemonOptions, log: Log): WorkloadControl {
  const { health, workload: times } = config;
  if (workload !== null)
    return createInProcessWorkload(workload, { ...times, healthTimeoutMs: health.timeoutMs });
  return createBundledWorkload({
    workload: running.versionJson?.workload ?? {},
    dist: running.dist ?? process.cwd(),
    env,
    runtime: process.execPath,
    times: { ...times, healthTimeoutMs: health.timeoutMs },
    log,
  });
}

const policyOf = ({ update, probation }: Config, { drainMs }: WorkloadControl): Policy => ({
  ...DEFAULT_POLICY,
  probationMs: probation.uptimeMs,
  inconclusiveAfterMs: update.inconclusiveAfterMs,
  drainMs,
  flipMs: update.flipMs,
  prepareAttempts: update.prepareAttempts,
  commitRounds: update.commitRounds,
  retryMinMs: update.retryMinMs,
  retryMaxMs: update.retryMaxMs,
});

/** Starts the daemon and stays with it: signals end it, and its end is the process's. */
export async function runDaemon(options: DaemonOptions): Promise<Result<void, Fault>> {
  const obey = listenForSignals();
  const started = await startDaemon(options);
  if (!started.ok) return err(started.error);
  const { log, stop, reload, ended } = started.value;
  obey({
    stop: (signal) => {
      log.info({ signal }, "told to stop");
      stop();
    },
    reload: () => {
      log.info(
        {},
        "SIGHUP: ca_file is looked at; the settings are read again by a restart of the service alone",
      );
      reload();
    },
  });
  ended.then(
    (code) => process.exit(code),
    (cause: unknown) => {
      log.error({ cause }, "the agent could not be ended in order");
      process.exit(1);
    },
  );
  return ok(undefined);
}
