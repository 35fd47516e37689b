import type { Peer } from "../../protocol/frames.ts";
import { HealthReport } from "../../protocol/health.ts";
import { parse } from "../../protocol/parse.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import type { DurationMs } from "../../protocol/time.ts";
import type { WorkloadControl } from "../core/ports.ts";

/**
 * A workload in the agent's own process: the program that calls `runAgent`. Every function may be missing but
 * `health`. One that throws, or takes longer than its limit, has failed.
 */
export type InProcessWorkload = {
  /** Begins serving. The node is ready, for systemd, when it is done. */
  start?(): void | Promise<void>;
  /** How it is; asked every two seconds by default. Throwing is the same as unhealthy. */
  health(): HealthReport | Promise<HealthReport>;
  /** Gives leadership to one of `peers` while still serving. Only then is leadership looked at before a commit. */
  handover?(peers: readonly Peer[]): void | Promise<void>;
  /** Stops serving, within `limitMs`. */
  drain?(limitMs: DurationMs): void | Promise<void>;
  /** Undoes `handover` and `drain`. */
  resume?(): void | Promise<void>;
  /** Ends it for good; the process exits afterwards. */
  stop?(): void | Promise<void>;
};

export type InProcessTimes = {
  readonly healthTimeoutMs: DurationMs;
  readonly hookTimeoutMs: DurationMs;
  /** What draining may take. */
  readonly drainMs: DurationMs;
};

export function createInProcessWorkload(workload: InProcessWorkload, times: InProcessTimes): WorkloadControl {
  const step = (name: string, limitMs: DurationMs, run: () => unknown) => attempt(name, limitMs, run);
  return {
    canHandOver: workload.handover !== undefined,
    drainMs: workload.drain === undefined ? 0 : times.drainMs,
    start: () => step("start", times.hookTimeoutMs, () => workload.start?.()),
    stop: async () => {
      await step("stop", times.hookTimeoutMs, () => workload.stop?.());
    },
    health: async () => {
      let said: unknown;
      const asked = await attempt("health", times.healthTimeoutMs, async () => {
        said = await workload.health();
      });
      if (!asked.ok) return { healthy: false, detail: asked.error.message.slice(0, 1_000) };
      const report = parse(HealthReport, said, "The health report");
      return report.ok ? report.value : { healthy: false, detail: report.error.message.slice(0, 1_000) };
    },
    handover: (peers) => step("handover", times.hookTimeoutMs, () => workload.handover?.(peers)),
    drain: (limitMs) => step("drain", limitMs, () => workload.drain?.(limitMs)),
    resume: () => step("resume", times.hookTimeoutMs, () => workload.resume?.()),
  };
}

async function attempt(
  name: string,
  limitMs: DurationMs,
  run: () => unknown,
): Promise<Result<void, Fault<"hook-failed" | "hook-timeout">>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(resolve, limitMs, "late" as const);
  });
  try {
    const ended = await Promise.race([Promise.resolve().then(run), late]);
    if (ended !== "late") return ok(undefined);
    return err({
      code: "hook-timeout",
      message: `The workload's ${name} took longer than ${limitMs} ms.`,
      context: { hook: name, limitMs },
    });
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    return err({
      code: "hook-failed",
      message: `The workload's ${name} failed: ${said}`,
      context: { hook: name },
    });
  } finally {
    clearTimeout(timer);
  }
}
