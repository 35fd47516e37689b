import type { UpdateReport } from "../../../protocol/frames.ts";
import type { JobRecord } from "./job.ts";

/** The states of the update machine in which there is work to do, and so progress is to be expected. */
const WORKING: readonly UpdateReport["state"][] = ["idle", "preparing"];

/**
 * How far a job has come, as a text that changes with every progress; null while none is to be expected: a node whose
 * build lies ready waits for its turn, a window or a freeze, for as long as that takes. `update`: what the node said last.
 */
export function progressOf(job: JobRecord, update: UpdateReport | null): string | null {
  const own = update?.jobId === job.id ? update : null;
  if (job.confirming !== null || (own !== null && !WORKING.includes(own.state))) return null;
  return JSON.stringify([job.status, job.step, own?.state, own?.step, own?.percent]);
}
