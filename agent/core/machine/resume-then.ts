/** The way into resuming, from wherever an attempt is given up before the flip. */
import type { JobId } from "../../../protocol/names.ts";
import type { LeaseToken } from "../../../protocol/token.ts";
import { type Swap, withFinalWord } from "../journal.ts";
import type { Draft } from "./draft.ts";
import type { AfterResume, Resuming, Work } from "./state.ts";

/** Undoes handover and drain; nothing was flipped. */
export function resumeThen(draft: Draft, work: Work, token: LeaseToken, then: AfterResume): Resuming {
  return perform(draft, begun(work, work.job.jobId, token, then, null), "resume");
}

/** Removes what a swap left before its flip, then undoes handover and drain. */
export function undoSwapThen(draft: Draft, work: Work | null, swap: Swap, then: AfterResume): Resuming {
  return perform(draft, begun(work, swap.jobId, swap.token, then, swap), "undo");
}

/** After a crash in committing or draining. */
export function resumeAfterCrash(draft: Draft, jobId: JobId, token: LeaseToken, then: AfterResume): Resuming {
  return perform(draft, begun(null, jobId, token, then, null), "resume");
}

const begun = (
  work: Work | null,
  jobId: JobId,
  token: LeaseToken,
  then: AfterResume,
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
  then,
  swap,
});

/** Begins a step, and waits for its answer. */
export function perform(draft: Draft, state: Resuming, step: Resuming["step"]): Resuming {
  const { jobId, token, then, swap } = state;
  const next = { ...state, step, retryAt: null };
  if (step === "undo" && swap !== null) return { ...next, op: draft.ask({ kind: "undo-swap", swap }) };
  if (step !== "write") return { ...next, step: "resume", op: draft.ask({ kind: "resume", jobId }) };
  const word = { token, jobId, word: "not-acted", reason: then.reason } as const;
  const journal = withFinalWord(draft.facts.journal, word, { jobEnded: then.failed });
  return { ...next, op: draft.ask({ kind: "write-journal", journal }) };
}
