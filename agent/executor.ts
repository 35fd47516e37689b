/**
 * Does what the machine commands, and answers with events. One entry per kind of command: the type is what proves
 * that none was forgotten.
 *
 * Invariants:
 * - Effects on the state directory happen one after the other, in the order in which they were commanded.
 * - So do the workload's hooks: `resume` never runs into a `drain` that is late.
 * - A command with an `op` is answered exactly once, whatever goes wrong.
 */
import type { Fault, Result } from "../protocol/result.ts";
import type { Clock } from "../protocol/time.ts";
import type { Command, CommandKind, CommandOf } from "./core/machine/command.ts";
import type { Event } from "./core/machine/event.ts";
import type { LeaseClient, LeaseFailure, Preparer, WorkloadControl } from "./core/ports.ts";
import { agentLine, type JobLogs } from "./effects/job-log.ts";
import type { Log } from "./effects/log.ts";
import { createDiskWork, type DiskParts } from "./executor/disk-work.ts";
import { createPreparing } from "./executor/preparing.ts";
import { createQueue } from "./executor/queue.ts";

export type ExecutorParts = DiskParts & {
  readonly clock: Clock;
  readonly log: Log;
  readonly lease: LeaseClient;
  readonly preparer: Preparer;
  readonly workload: WorkloadControl;
  readonly jobLogs: JobLogs;
  /** Takes the answers. */
  readonly feed: (event: Event) => void;
  /** Ends the process, after everything that was commanded on the disk is done. */
  readonly exit: (code: 0 | 75) => void;
};

export type Executor = {
  readonly execute: (command: Command) => void;
  /** Done when every effect on the disk that was commanded is. */
  readonly settled: () => Promise<void>;
};

type Handlers = { readonly [K in CommandKind]: (command: CommandOf<K>) => void | Promise<void> };

export function createExecutor(parts: ExecutorParts): Executor {
  const { clock, log, lease, workload, jobLogs, feed } = parts;
  const disk = createDiskWork(parts);
  const preparing = createPreparing(parts);
  const hooks = createQueue();

  const hook = (
    { jobId, op }: CommandOf<"hand-over" | "drain" | "resume">,
    step: "handover" | "drain" | null,
    run: (line: (text: string) => void) => Promise<Result<void, Fault>>,
    answer: (result: Result<void, Fault>, op: number) => Event,
  ) => {
    const line = (text: string) => jobLogs.append(jobId, { at: clock.now(), source: "hook", step, text });
    hooks.add(async () => feed(answer(await caught(() => run(line)), op)));
  };

  /** A lease call that throws is one of which nobody knows the outcome. */
  const call = async <T>(run: () => Promise<Result<T, LeaseFailure>>): Promise<Result<T, LeaseFailure>> => {
    try {
      return await run();
    } catch (cause) {
      log.error({ cause }, "a lease call failed in a way that it must not");
      const message = cause instanceof Error ? cause.message : String(cause);
      return { ok: false, error: { kind: "unreachable", code: "unreachable", message } };
    }
  };

  /** The same for the workload's hooks. */
  const caught = async (run: () => Promise<Result<void, Fault>>): Promise<Result<void, Fault>> => {
    try {
      return await run();
    } catch (cause) {
      log.error({ cause }, "a hook failed in a way that it must not");
      const message = cause instanceof Error ? cause.message : String(cause);
      return { ok: false, error: { code: "hook-failed", message } };
    }
  };

  const handlers: Handlers = {
    ...disk.handlers,
    ...preparing.handlers,
    reserve: async ({ op, session, jobId, build }) => {
      const reply = await call(() => lease.reserve({ session, jobId, build }));
      feed(
        reply.ok
          ? { kind: "reserve-granted", op, ...reply.value }
          : { kind: "reserve-failed", op, failure: reply.error },
      );
    },
    renew: async ({ op, session, token }) => {
      const reply = await call(() => lease.renew({ session, token }));
      feed(
        reply.ok
          ? { kind: "renew-granted", op, ...reply.value }
          : { kind: "renew-failed", op, failure: reply.error },
      );
    },
    commit: async ({ op, session, token, needMs }) => {
      const reply = await call(() => lease.commit({ session, token, needMs }));
      feed(
        reply.ok
          ? { kind: "commit-granted", op, ...reply.value }
          : { kind: "commit-failed", op, failure: reply.error },
      );
    },
    cancel: async ({ session, token }) => {
      const reply = await call(() => lease.cancel({ session, token }));
      if (!reply.ok) log.warn({ token, fault: reply.error }, "the reservation was not returned; it expires");
    },
    "hand-over": (command) =>
      hook(
        command,
        "handover",
        (line) => workload.handover(command.peers, line),
        (result, op) =>
          result.ok ? { kind: "hand-over-done", op } : { kind: "hand-over-failed", op, fault: result.error },
      ),
    drain: (command) =>
      hook(
        command,
        "drain",
        (line) => workload.drain(command.limitMs, line),
        (result, op) =>
          result.ok ? { kind: "drain-done", op } : { kind: "drain-failed", op, fault: result.error },
      ),
    resume: (command) =>
      hook(
        command,
        null,
        (line) => workload.resume(line),
        (result, op) =>
          result.ok ? { kind: "resume-done", op } : { kind: "resume-failed", op, fault: result.error },
      ),
    note: ({ jobId, step, text }) => jobLogs.append(jobId, agentLine(clock.now(), step, text)),
    exit: async ({ code }) => {
      preparing.abort();
      await disk.settled();
      parts.exit(code);
    },
  };

  return {
    execute: (command) => void (handlers[command.kind] as (command: Command) => unknown)(command),
    settled: disk.settled,
  };
}
