/** Preparing builds, and removing those that nobody needs: never both at a time, and not waited for by anything else. */
import type { Clock, UptimeMs } from "../../protocol/time.ts";
import type { CommandOf } from "../core/machine/command.ts";
import type { Event } from "../core/machine/event.ts";
import type { Op } from "../core/machine/facts.ts";
import type { Preparer, Progress } from "../core/ports.ts";
import type { Disk } from "../effects/disk.ts";
import { diskFault } from "../effects/disk-fault.ts";
import { collectGarbage } from "../effects/garbage.ts";
import { agentLine, type JobLogs } from "../effects/job-log.ts";
import type { Layout } from "../effects/layout.ts";
import type { Log } from "../effects/log.ts";
import { createQueue } from "./queue.ts";

export type PreparingParts = {
  readonly disk: Disk;
  readonly layout: Layout;
  readonly clock: Clock;
  readonly log: Log;
  readonly preparer: Preparer;
  readonly jobLogs: JobLogs;
  readonly feed: (event: Event) => void;
};

type Handlers = {
  readonly [K in "prepare" | "stop-preparing" | "collect-garbage"]: (command: CommandOf<K>) => void;
};

/** Progress within a step is told at most so often. */
const PROGRESS_EVERY_MS = 200;

export function createPreparing({ disk, layout, clock, log, preparer, jobLogs, feed }: PreparingParts): {
  readonly handlers: Handlers;
  /** Stops what is being prepared, without an answer that matters. */
  abort(): void;
} {
  const queue = createQueue();
  const running = new Map<Op, AbortController>();

  const prepare = async ({ op, job }: CommandOf<"prepare">, signal: AbortSignal) => {
    let told: { progress: Progress; at: UptimeMs } | null = null;
    let step: Progress["step"] = "preflight";
    try {
      const prepared = await preparer.prepare(job, {
        signal,
        progress: (progress) => {
          const now = clock.uptime();
          step = progress.step;
          if (told?.progress.step === step && progress.percent < 100 && now - told.at < PROGRESS_EVERY_MS)
            return;
          told = { progress, at: now };
          feed({ kind: "prepare-progressed", op, progress });
        },
        line: (text) => jobLogs.append(job.jobId, agentLine(clock.now(), step, text)),
      });
      feed(
        prepared.ok
          ? { kind: "prepare-done", op, prepared: prepared.value }
          : { kind: "prepare-failed", op, fault: prepared.error },
      );
    } catch (cause) {
      log.error({ cause, jobId: job.jobId }, "preparing failed in a way that it must not");
      feed({ kind: "prepare-failed", op, fault: diskFault(cause, "prepare the build") });
    }
  };

  const handlers: Handlers = {
    prepare: (command) => {
      const controller = new AbortController();
      running.set(command.op, controller);
      queue.add(async () => {
        await prepare(command, controller.signal);
        running.delete(command.op);
      });
    },
    "stop-preparing": ({ prepare: op }) => running.get(op)?.abort(),
    "collect-garbage": ({ releases }) =>
      queue.add(async () => {
        try {
          const gone = await collectGarbage(disk, layout, { releases });
          if (gone.length > 0) log.info({ gone }, "removed what nobody needs any more");
        } catch (cause) {
          log.warn({ cause }, "what nobody needs any more could not be removed; it is tried again later");
        }
      }),
  };
  return {
    handlers,
    abort: () => {
      for (const controller of running.values()) controller.abort();
    },
  };
}
