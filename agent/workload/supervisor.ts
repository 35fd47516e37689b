import { setTimeout as sleep } from "node:timers/promises";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import type { DurationMs } from "../../protocol/time.ts";
import type { Log } from "../effects/log.ts";
import {
  type Ending,
  type ProcessGroup,
  type ProcessOptions,
  showEnding,
  startProcessGroup,
} from "./process-group.ts";

export type SupervisorOptions = Omit<ProcessOptions, "line"> & {
  readonly stopMs: DurationMs;
  readonly restart: { readonly minMs: DurationMs; readonly maxMs: DurationMs };
  readonly log: Log;
};

export type Supervisor = {
  /** Starts the program and keeps it running. Nothing when it is running. Errors: `workload-not-started`. */
  start(): Promise<Result<void, Fault<"workload-not-started">>>;
  /** Why it is not running, or null when it is. */
  down(): string | null;
  /** Ends it and all that it started. */
  stop(): Promise<void>;
};

/** A program that ran this long was well: the next restart begins with a short wait. */
const WELL_AFTER_MS = 60_000;

/** Keeps one program running: starts it again when it ends, after waits that double. */
export function createSupervisor({ stopMs, restart, log, ...program }: SupervisorOptions): Supervisor {
  let group: ProcessGroup | null = null;
  let why: string | null = "has not been started";
  let wanted: AbortController | null = null;
  let keeping: Promise<void> = Promise.resolve();

  const startOnce = (): ProcessGroup => {
    const started = startProcessGroup({
      ...program,
      line: (stream, text) => log.info({ source: "workload", stream }, text),
    });
    group = started;
    why = null;
    if (started.pid !== undefined)
      log.info({ pid: started.pid, command: program.command }, "workload started");
    return started;
  };

  const keep = async (first: ProcessGroup, signal: AbortSignal) => {
    let failures = 0;
    let current = first;
    for (;;) {
      const startedAt = performance.now();
      const ending = await current.ended;
      if (signal.aborted) return;
      why = showEnding(ending);
      // What it left in its group would be in the way of the next one.
      await current.stop(stopMs);
      failures = performance.now() - startedAt > WELL_AFTER_MS ? 1 : failures + 1;
      const waitMs = Math.min(restart.maxMs, restart.minMs * 2 ** Math.min(failures - 1, 20));
      log.warn({ ...fieldsOf(ending), waitMs }, `the workload ${why}`);
      if (!(await slept(waitMs, signal))) return;
      current = startOnce();
    }
  };

  return {
    start: async () => {
      if (wanted !== null) return ok(undefined);
      wanted = new AbortController();
      const first = startOnce();
      const { signal } = wanted;
      keeping = keep(first, signal).catch((cause: unknown) => log.error({ cause }, "supervision failed"));
      if (first.pid !== undefined) return ok(undefined);
      const ending = await first.ended;
      return err({
        code: "workload-not-started",
        message: `The workload (${program.command.join(" ")}) ${showEnding(ending)}.`,
        hint: "It is tried again with growing waits; see version.json for its command.",
      });
    },
    down: () => why,
    stop: async () => {
      if (wanted === null) return;
      wanted.abort();
      wanted = null;
      why = "was stopped";
      await group?.stop(stopMs);
      group = null;
      await keeping;
    },
  };
}

const fieldsOf = (ending: Ending): object =>
  ending.kind === "exited"
    ? { status: ending.code }
    : ending.kind === "killed"
      ? { signal: ending.signal }
      : { cause: ending.cause };

async function slept(ms: DurationMs, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal });
    return true;
  } catch (cause) {
    if (signal.aborted) return false;
    throw cause;
  }
}
