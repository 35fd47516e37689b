import type { UptimeMs } from "../../../protocol/time.ts";
import type { LeaseToken } from "../../../protocol/token.ts";
import { because, type Draft } from "./draft.ts";
import { resumeThen } from "./resume-then.ts";
import type { Committing, Resuming, UpdateState, Work } from "./state.ts";

/** Sends the commit: the journal says `committing` by now, durably. */
export function sendCommit(
  draft: Draft,
  work: Work,
  token: LeaseToken,
  round: number,
  settleBy: UptimeMs | null = null,
): Committing | Resuming {
  const { facts, policy, now } = draft;
  if (facts.session === null) {
    const reason = because("no-session", "The session ended before the lease could be committed.");
    return resumeThen(draft, work, token, { kind: "not-acted", reason, failed: false, round });
  }
  const needMs = policy.drainMs + policy.flipMs;
  const op = draft.ask({ kind: "commit", session: facts.session, token, needMs });
  return { kind: "committing", work, token, step: "send", op, retryAt: null, settleBy, sentAt: now, round };
}

/** Act-within is over, and `dist` was not touched: once more under the same token, or give it up. */
export function tooLate(
  draft: Draft,
  { work, token, round }: { readonly work: Work; readonly token: LeaseToken; readonly round: number },
): UpdateState {
  const reason = because(
    "act-within-passed",
    "Draining took longer than the coordinator allowed; nothing was swapped.",
  );
  const kind = round < draft.policy.commitRounds ? "commit-again" : "not-acted";
  draft.note(work.job.jobId, "drain", reason.message);
  return resumeThen(draft, work, token, { kind, reason, failed: false, round });
}
