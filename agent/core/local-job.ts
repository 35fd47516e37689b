import type { Reason } from "../../protocol/job.ts";
import type { FinalWord } from "../../protocol/journal.ts";
import type { JobId } from "../../protocol/names.ts";
import type { Machine } from "./machine/transition.ts";
import { updateReport } from "./report.ts";

/** How a job ended on this node. */
export type JobEnd = {
  readonly result: "succeeded" | "rolled-back" | "failed" | "not-acted" | "inconclusive" | "unknown";
  readonly reason: Reason | null;
};

/** The job that is worked on, or was last; `end` is null while it is under way. */
export type LocalJob = { readonly jobId: JobId; readonly end: JobEnd | null };

/** The job after a transition, from what was known of it before. */
export function jobAfter(before: LocalJob | null, machine: Machine): LocalJob | null {
  const { facts, update } = machine;
  if (update.kind !== "idle") {
    const { jobId } = updateReport(machine);
    return jobId === null ? before : { jobId, end: null };
  }
  if (update.backoff !== null) return { jobId: update.backoff.jobId, end: null };
  if (facts.outcome !== null) {
    const { jobId, result, reason } = facts.outcome;
    return { jobId, end: { result, reason: result === "succeeded" ? null : reason } };
  }
  if (before === null || before.end !== null) return before;
  const word = facts.journal.finalWords.find(({ jobId }) => jobId === before.jobId);
  return { jobId: before.jobId, end: word === undefined ? WITHDRAWN : ended(word) };
}

const ended = ({ word, reason }: FinalWord): JobEnd => ({
  result: word === "confirmed" ? "succeeded" : word,
  reason,
});

const WITHDRAWN: JobEnd = {
  result: "unknown",
  reason: { code: "withdrawn", message: "The coordinator did not want the job any more." },
};
