/** The way into resuming, from wherever an attempt is given up before the flip. */
import type { JobId } from "../../../protocol/names.ts";
import type { LeaseToken } from "../../../protocol/token.ts";
import { type Swap, withFinalWord } from "../journal.ts";
import type { Draft } from "./draft.ts";
import type { AfterResume, Resuming, Work } from "./state.ts";

/** Undoes handover and drain; nothing was flipped. */
export function resumeThen(draft: Draft, work: Work, token: LeaseToken, after: AfterResume): Resuming {
  return perform(draft, begun(work, work.job.jobId, token, after, null), "resume");
}

/** Removes what a swap left before its flip, then undoes handover and drain. */
export function undoSwapThen(draft: Draft, work: Work | null, swap: Swap, after: AfterResume): Resuming {
  return perform(draft, begun(work, swap.jobId, swap.token, after, swap), "undo");
}

/** After a crash in committing or draining. */
export function resumeAfterCrash(
  draft: Draft,
  jobId: JobId,
  token: LeaseToken,
  after: AfterResume,
): Resuming {
  return perform(draft, begun(null, jobId, token, after, null), "resume");
}

const begun = (
  work: Work | null,
  jobId: JobId,
  token: LeaseToken,
  after: AfterResume,
  swap: Swap | null,
): Resuming => ({
  kind: "resuming",
  work,
  jobId,
  token,
  step: "resume",
  op: null,
  retryAt: null,
  attempts: 0,
  after,
  swap,
});

/** Begins a step, and waits for its answer. */
export function perform(draft: Draft, state: Resuming, step: Resuming["step"]): Resuming {
  const { jobId, token, after, swap } = state;
  const next = { ...state, step, retryAt: null };
  if (step === "undo" && swap !== null) return { ...next, op: draft.ask({ kind: "undo-swap", swap }) };
  if (step !== "write") return { ...next, step: "resume", op: draft.ask({ kind: "resume", jobId }) };
  const word = { token, jobId, word: "not-acted", reason: after.reason } as const;
  const journal = withFinalWord(draft.facts.journal, word, { jobEnded: after.failed });
  return { ...next, op: draft.ask({ kind: "write-journal", journal }) };
}
