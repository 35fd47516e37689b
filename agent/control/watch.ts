import type { LogLine } from "../../protocol/job.ts";
import type { JobId } from "../../protocol/names.ts";
import type { AgentStatus, JobEnd, WatchEvent } from "./messages.ts";

/** What watching needs of the agent. */
export type Watched = {
  status(): AgentStatus;
  logLines(jobId: JobId, from: number, limit: number): Promise<readonly LogLine[]>;
  howEnded(jobId: JobId): Promise<JobEnd | null>;
  subscribe(changed: () => void): () => void;
};

const AT_ONCE = 500;
/** How often is looked at what tells of no change: what the coordinator knows. */
const LOOK_EVERY_MS = 2_000;

/**
 * A job from now on: the lines of its log from `from`, where the update stands whenever that changes, and how it
 * ended. Ends with the job, with `signal`, or with the process: whoever watches connects again and goes on.
 */
export async function* watchJob(
  watched: Watched,
  jobId: JobId,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent> {
  let next = from;
  let told = "";
  for await (const _ of changes(watched, signal)) {
    // How it ended is asked first: lines that were written before an end are told before it.
    const end = await endOf(watched, jobId);
    const { update } = watched.status();
    for await (const line of linesFrom(watched, jobId, next)) {
      next = line.index + 1;
      yield { type: "log", line };
    }
    if (update.jobId === jobId && JSON.stringify(update) !== told) {
      told = JSON.stringify(update);
      yield { type: "progress", update };
    }
    if (end !== null) {
      yield { type: "end", jobId, end };
      return;
    }
  }
}

/**
 * How a job ended. The agent knows it of its last job; of another one, or one that was withdrawn, the coordinator is
 * asked: it may have ended the job before this node ever heard of it.
 */
async function endOf(watched: Watched, jobId: JobId): Promise<JobEnd | null> {
  const { job } = watched.status();
  if (job?.jobId !== jobId) return watched.howEnded(jobId);
  if (job.end?.result !== "unknown") return job.end;
  return (await watched.howEnded(jobId)) ?? job.end;
}

/** The lines of a job's log from `from`; with `follow`, for as long as somebody listens. */
export async function* followLog(
  watched: Watched,
  jobId: JobId,
  { from, follow }: { from: number; follow: boolean },
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  let next = from;
  for await (const _ of changes(watched, signal)) {
    for await (const line of linesFrom(watched, jobId, next)) {
      next = line.index + 1;
      yield line;
    }
    if (!follow) return;
  }
}

async function* linesFrom(watched: Watched, jobId: JobId, from: number): AsyncGenerator<LogLine> {
  for (let next = from; ; ) {
    const lines = await watched.logLines(jobId, next, AT_ONCE);
    yield* lines;
    const last = lines.at(-1);
    if (last === undefined) return;
    next = last.index + 1;
  }
}

/** Once now, and then after every change; changes that come while one is looked at count as one. */
async function* changes(watched: Watched, signal: AbortSignal): AsyncGenerator<void> {
  let dirty = true;
  let wake: () => void = () => undefined;
  const changed = () => {
    dirty = true;
    wake();
  };
  const unsubscribe = watched.subscribe(changed);
  const timer = setInterval(changed, LOOK_EVERY_MS).unref();
  const stop = () => wake();
  signal.addEventListener("abort", stop);
  try {
    while (!signal.aborted) {
      if (dirty) {
        dirty = false;
        yield;
        continue;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    clearInterval(timer);
    unsubscribe();
    signal.removeEventListener("abort", stop);
  }
}
