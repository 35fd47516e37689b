import { setTimeout as sleep } from "node:timers/promises";
import type { LogLine } from "../../protocol/job.ts";
import type { JobId } from "../../protocol/names.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import type { ControlClient } from "../control/client.ts";
import { type JobEnd, WatchEvent } from "../control/messages.ts";
import { updateText } from "./status-text.ts";
import type { World } from "./world.ts";

const RECONNECT_MS = 200;

/** Faults of a socket whose agent is restarting: it comes back, or the time runs out. */
const AWAY = ["agent-not-running", "agent-not-reached"];

/**
 * Follows a job to its end, through the restart of the agent in the middle: when the agent goes away it is waited
 * for, and the log goes on at the line after the last one seen. Errors: `timed-out`, `interrupted`, and those of
 * the control socket that waiting does not mend.
 */
export async function followJob(
  world: World,
  client: ControlClient,
  jobId: JobId,
  { timeoutMs, take }: { timeoutMs: number; take: (event: WatchEvent) => void },
): Promise<Result<JobEnd, Fault>> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([timeout, world.interrupted]);
  let next = 0;
  const told: { end: JobEnd | null } = { end: null };
  const takeEvent = (event: WatchEvent) => {
    if (event.type === "log") next = event.line.index + 1;
    if (event.type === "end") told.end = event.end;
    take(event);
  };
  while (!signal.aborted) {
    const streamed = await client.stream(
      `/v1/jobs/${jobId}/watch?from=${next}`,
      WatchEvent,
      signal,
      takeEvent,
    );
    if (told.end !== null) return ok(told.end);
    if (!streamed.ok && !AWAY.includes(streamed.error.code)) return streamed;
    await sleep(RECONNECT_MS, undefined, { signal }).catch((cause: unknown) => {
      if (!signal.aborted) throw cause;
    });
  }
  if (world.interrupted.aborted) {
    return err({ code: "interrupted", message: `No longer watching. Job ${jobId} goes on.` });
  }
  return err({
    code: "timed-out",
    message: `Job ${jobId} has not ended within ${Math.round(timeoutMs / 1_000)} s. It goes on.`,
    hint: `Look at it with: agent logs --follow ${jobId}`,
  });
}

/** Prints what is watched: lines of the log as they come, and what it waits for when that changes. */
export function printWatched(world: World, json: boolean): (event: WatchEvent) => void {
  let waiting = "";
  return (event) => {
    if (json) world.out(`${JSON.stringify(event)}\n`);
    else if (event.type === "log") world.err(showLine(event.line));
    else if (event.type === "progress") {
      const reason = event.update.state === "idle" ? "" : (event.update.reason?.message ?? "");
      if (reason !== waiting && reason !== "")
        world.err(`${clockTime(world.now())} ${updateText(event.update)}\n`);
      waiting = reason;
    }
  };
}

export const showLine = ({ at, source, step, text }: LogLine): string =>
  `${clockTime(at)} ${(step ?? source).padEnd(9)} ${text}\n`;

/** "12:04:09", local time. */
const clockTime = (at: number): string => new Date(at).toTimeString().slice(0, 8);
