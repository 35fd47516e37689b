/**
 * The agent's shell around its machine: one queue of events, one transition at a time, commands to the executor,
 * answers back into the queue. Here the state lives; everything that decides is in `core/`.
 *
 * Invariants: events are taken in the order in which they came; a transition is over, and its commands are begun,
 * before the next event is looked at; one log line per transition.
 */
import type { Build } from "../protocol/build.ts";
import type { Orders } from "../protocol/frames.ts";
import type { HealthReport } from "../protocol/health.ts";
import type { LogLine } from "../protocol/job.ts";
import type { InstanceId, JobId, SessionId } from "../protocol/names.ts";
import { ok, type Result } from "../protocol/result.ts";
import type { Clock, DurationMs } from "../protocol/time.ts";
import type { Event } from "./core/machine/event.ts";
import type { Policy } from "./core/machine/facts.ts";
import { type Machine, transition } from "./core/machine/transition.ts";
import type { LeaseClient, Preparer, WorkloadControl } from "./core/ports.ts";
import { type Finding, recover } from "./core/recover.ts";
import type { Disk } from "./effects/disk.ts";
import { agentLine, type JobLogs, type JobSummary, openJobLogs } from "./effects/job-log.ts";
import { layoutOf } from "./effects/layout.ts";
import { type Lock, type LockFault, orUnwritable, takeLock } from "./effects/lock.ts";
import type { Log } from "./effects/log.ts";
import { lookAround, makeLayout, removeTemporaries } from "./effects/recover.ts";
import type { Scheduler } from "./effects/scheduler.ts";
import type { TrialTerms } from "./effects/trial.ts";
import { createExecutor, type Executor } from "./executor.ts";
import { createAlarm } from "./runner/alarm.ts";
import { watchHealth } from "./runner/health.ts";
import { type AgentView, createViews, type HeartbeatView, type HelloView } from "./runner/views.ts";

export type AgentParts = {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly log: Log;
  readonly lease: LeaseClient;
  readonly preparer: Preparer;
  readonly workload: WorkloadControl;
  /** The directory that holds `dist`, `releases/` and `state/`. */
  readonly stateDir: string;
  /** What this process runs, by its own `version.json`. */
  readonly running: Build;
  /** A fresh UUID. */
  readonly instanceId: InstanceId;
  readonly bootId: string;
  /** How draining goes is the workload's to say. */
  readonly policy: Omit<Policy, "drainMs">;
  readonly trial: Pick<TrialTerms, "tries" | "refunds">;
  readonly healthEveryMs: DurationMs;
  /** Takes the lock of a state directory: `takeLock`, unless many lives are to be tried in one process. */
  readonly lock?: (path: string) => Promise<Result<Lock, LockFault>>;
};

export type Agent = {
  /**
   * Takes the state directory's lock, finds out where the last process ended, starts the workload and goes on from
   * there. Local alone: it never waits for the coordinator. Errors: `already-running`, `lock-failed`. Called once.
   */
  start(): Promise<Result<void, LockFault>>;
  /** What the coordinator wants. Only after `start`; so with all of the following. */
  receive(orders: Orders): void;
  sessionOpened(session: SessionId): void;
  sessionClosed(): void;
  /** What a hello says of this process, besides its platform and runtime. */
  helloParts(): HelloView;
  heartbeatParts(): HeartbeatView;
  status(): AgentView;
  /** Lines of a job's log from `index` on. */
  logLines(jobId: JobId, index: number, limit: number): Promise<readonly LogLine[]>;
  /** Adds a line to a job's log; nothing is decided by it. */
  note(jobId: JobId, text: string): void;
  jobs(): Promise<readonly JobSummary[]>;
  /** Calls back whenever something that `status` shows may have changed, until the returned function is called. */
  subscribe(listener: () => void): () => void;
  /** Calls back when a job's log grew. */
  subscribeLog(listener: (jobId: JobId) => void): () => void;
  /** Asks for the end; `finished` says when it has come. An update that is past its commit point is not interrupted. */
  stop(): void;
  /** The workload is stopped and everything is on the disk: the process should exit with `code`. */
  readonly finished: Promise<{ readonly code: 0 | 75 }>;
};

export function createAgent(parts: AgentParts): Agent {
  const { disk, clock, log, workload, running, instanceId } = parts;
  const policy: Policy = { ...parts.policy, drainMs: workload.drainMs };
  const layout = layoutOf(parts.stateDir);
  const listeners = new Set<() => void>();
  const views = createViews({ running, instanceId, canHandOver: workload.canHandOver });
  const waiting: Event[] = [];
  let machine: Machine | null = null;
  let executor: Executor | null = null;
  let jobLogs: JobLogs | null = null;
  let lock: Lock | null = null;
  let busy = false;
  let stopHealth: () => void = () => undefined;
  let finish: (end: { code: 0 | 75 }) => void = () => undefined;
  const finished = new Promise<{ code: 0 | 75 }>((resolve) => {
    finish = resolve;
  });

  const alarm = createAlarm(clock, parts.scheduler, () => feed({ kind: "tick" }));

  const feed = (event: Event): void => {
    waiting.push(event);
    if (busy) return;
    busy = true;
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) take(next);
    } finally {
      busy = false;
    }
  };

  const take = (event: Event): void => {
    if (machine === null) throw new Error(`the agent heard ${event.kind} before it was started`);
    const before = machine;
    const result = transition(before, event, clock.uptime(), policy);
    machine = result.machine;
    logTransition(log, before, event, result);
    views.learn(machine);
    for (const command of result.commands) executor?.execute(command);
    alarm.set(machine);
    for (const listener of listeners) listener();
  };

  const leave = async (code: 0 | 75): Promise<void> => {
    alarm.clear();
    stopHealth();
    try {
      await workload.stop();
    } catch (cause) {
      log.error({ cause }, "the workload could not be stopped");
    }
    await executor?.settled();
    await jobLogs?.flush();
    await lock?.release();
    finish({ code });
  };

  const begin = async (): Promise<void> => {
    await tidy();
    const terms = { ...parts.trial, bootId: parts.bootId, budgetMs: policy.probationMs };
    jobLogs = await openJobLogs(disk, layout, log);
    const found = await lookAround(disk, layout, terms);
    const recovery = recover(found, { running, instanceId }, clock.uptime(), policy);
    for (const finding of recovery.findings) sayFinding(log, finding);
    machine = recovery.machine;
    views.begin(machine, recovery.findings);
    log.info({ state: machine.update.kind, journal: found.journal.kind }, "started");
    executor = createExecutor({
      ...parts,
      layout,
      trial: terms,
      jobLogs,
      feed,
      exit: (code) => void leave(code),
    });
    alarm.set(machine);
    // A build that is only here to go back is not put to work.
    const isLeaving = machine.update.kind === "going-back" && machine.update.step === "verdict";
    if (!isLeaving) await startWorkload();
    for (const command of recovery.commands) executor.execute(command);
  };

  /** What is left over does no harm, and nothing that is wrong with it keeps the agent from starting. */
  const tidy = async (): Promise<void> => {
    try {
      await removeTemporaries(disk, layout);
    } catch (cause) {
      log.warn({ cause }, "what a write that was cut off has left could not be removed");
    }
  };

  const startWorkload = async (): Promise<void> => {
    const started = await workload.start();
    if (!started.ok) log.error({ fault: started.error }, "the workload did not start");
    stopHealth = watchHealth(workload, parts.scheduler, parts.healthEveryMs, (report: HealthReport) =>
      feed({ kind: "health", report }),
    );
  };

  return {
    start: async () => {
      const made = await orUnwritable(layout.root, makeLayout(disk, layout));
      if (!made.ok) return made;
      const taken = await (parts.lock ?? takeLock)(layout.lock);
      if (!taken.ok) return taken;
      lock = taken.value;
      await begin();
      return ok(undefined);
    },
    receive: ({ desired, turn, waiting: reason, confirm, acknowledged }) =>
      feed({ kind: "orders", desired, turn, waiting: reason, confirm, acknowledged }),
    sessionOpened: (session) => feed({ kind: "session-opened", session }),
    sessionClosed: () => feed({ kind: "session-closed" }),
    helloParts: views.hello,
    heartbeatParts: views.heartbeat,
    status: views.status,
    logLines: async (jobId, index, limit) => (await jobLogs?.linesFrom(jobId, index, limit)) ?? [],
    note: (jobId, text) => jobLogs?.append(jobId, agentLine(clock.now(), null, text)),
    jobs: async () => (await jobLogs?.jobs()) ?? [],
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    subscribeLog: (listener) => jobLogs?.subscribe(listener) ?? (() => undefined),
    stop: () => feed({ kind: "stop-requested" }),
    finished,
  };
}

function sayFinding(log: Log, { level, code, message }: Finding): void {
  log[level]({ code }, message);
}

function logTransition(
  log: Log,
  before: Machine,
  event: Event,
  { machine, commands, ignored }: ReturnType<typeof transition>,
): void {
  const fields = { from: before.update.kind, event: event.kind, to: machine.update.kind };
  if (ignored !== null) {
    log.debug({ ...fields, ignored }, "ignored");
    return;
  }
  const kinds = commands.map((command) => command.kind).filter((kind) => kind !== "note");
  const isQuiet = fields.from === fields.to && kinds.length === 0;
  log[isQuiet ? "debug" : "info"]({ ...fields, commands: kinds }, "transition");
}
