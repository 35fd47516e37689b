import { Job, JobLogPage, type LogLine } from "../../protocol/job.ts";
import { plainWords } from "../../protocol/plain-words.ts";
import { FaultError } from "../../protocol/result.ts";
import { type ApiClient, path, query } from "../api/client.ts";
import { clockTime } from "../show/time.ts";
import type { World } from "../world.ts";
import { waitingFor } from "./wait.ts";

const POLL_MS = 500;

/**
 * Prints a job's log as it grows, until the job has ended; then its end. Throws `FaultError` with `failed`,
 * `cancelled`, `timed-out` or `interrupted`, so that the exit status says how it went.
 */
export async function followJob(
  world: World,
  api: ApiClient,
  jobId: string,
  { json, timeoutSeconds }: { json: boolean; timeoutSeconds: number | undefined },
): Promise<void> {
  const waiting = waitingFor(world, timeoutSeconds, `job ${jobId}`);
  let next = 0;
  for (;;) {
    // The job first: what its end has written is in the log that is read after it.
    const job = await waiting.patiently(() => api.call({ path: path("v1", "jobs", jobId), answer: Job }));
    const page = await waiting.patiently(() =>
      api.call({
        path: `${path("v1", "jobs", jobId, "log")}${query({ from: next })}`,
        answer: JobLogPage,
      }),
    );
    for (const line of page.lines) world.err.write(`${showLine(world, line)}\n`);
    next = page.next;
    if (page.lines.length > 0) continue;
    if (job.endedAt !== null) return ended(world, job, json);
    await waiting.wait(POLL_MS);
  }
}

/** What a program printed is a stranger's word: nothing in it may move the cursor of who reads it. */
export const showLine = ({ colors }: Pick<World, "colors">, { at, source, step, text }: LogLine): string =>
  `${colors.dim(clockTime(at))} ${(step ?? source).padEnd(9)} ${plainWords(text, text.length)}`;

function ended(world: World, job: Job, json: boolean): void {
  const why = job.reason === null ? "" : `: ${job.reason.message}`;
  world.out.write(json ? `${JSON.stringify(job)}\n` : `Job ${job.id} ${job.status}${why}\n`);
  if (job.status === "failed" || job.status === "cancelled") {
    throw new FaultError({
      code: job.status,
      message: `Job ${job.id} ${job.status}${why === "" ? "." : why}`,
      hint: `Its whole log: baton jobs log ${job.id}`,
    });
  }
}
