import type { LeaseFailure } from "../ports.ts";
import { reasonOf, STOPPED } from "./draft.ts";
import { resumeThen } from "./resume-then.ts";
import { NOTED, type Row, UNASKED } from "./row.ts";
import { sendCommit, tooLate } from "./send-commit.ts";

export const committing: Row<"committing"> = {
  ...UNASKED,
  ...NOTED,
  orders: { ignored: "noted; from here on it cannot be cancelled" },
  "journal-written": {
    to: ["resuming"],
    run: (draft, state) =>
      state.step === "write" ? sendCommit(draft, state.work, state.token, state.round) : state,
  },
  "journal-failed": {
    to: ["resuming"],
    run: (draft, state, { fault }) =>
      resumeThen(draft, state.work, state.token, {
        kind: "cancel",
        reason: reasonOf(fault),
        failed: true,
        round: 0,
      }),
  },
  "commit-granted": {
    to: ["draining", "resuming"],
    run: (draft, state, { actWithinMs }) => {
      const { work, token, round, sentAt } = state;
      const { policy, now } = draft;
      const { jobId } = work.job;
      const actBy = sentAt + actWithinMs;
      const limitMs = Math.min(policy.drainMs, actBy - now);
      if (limitMs < 0 || now >= actBy) return tooLate(draft, state);
      draft.note(jobId, "commit", `The lease is in flight (token ${token}); act within ${actWithinMs} ms.`);
      const op = draft.ask({ kind: "drain", jobId, limitMs });
      return { kind: "draining", work, token, op, actBy, round };
    },
  },
  "commit-failed": {
    to: ["resuming"],
    run: (draft, state, { failure }) => {
      const { work, token, round } = state;
      const settleBy = state.settleBy ?? draft.now + draft.policy.leadershipSettleMs;
      if (isUnsettled(failure) && draft.now < settleBy) {
        const retryAt = Math.min(settleBy, draft.now + draft.policy.retryMinMs);
        return { ...state, step: "settle", op: null, retryAt, settleBy };
      }
      // Unreachable may mean granted, and refused may answer a repetition: only a durable last word is safe.
      const reason = reasonOf(failure);
      draft.note(work.job.jobId, "commit", `The lease was not committed: ${reason.message}`);
      return resumeThen(draft, work, token, { kind: "not-acted", reason, failed: false, round });
    },
  },
  tick: {
    to: ["resuming"],
    run: (draft, state) =>
      state.retryAt === null || draft.now < state.retryAt
        ? state
        : sendCommit(draft, state.work, state.token, state.round, state.settleBy),
  },
  "stop-requested": { to: ["exiting"], run: (draft, { work }) => draft.exit(0, STOPPED, work.job.jobId) },
};

/** The coordinator judges by reports that may be older than the handover. */
const isUnsettled = ({ kind, code }: LeaseFailure): boolean =>
  kind === "refused" && (code === "leader-here" || code === "leader-unknown");
