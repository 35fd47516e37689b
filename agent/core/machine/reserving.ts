import type { LeaseFailure } from "../ports.ts";
import { because, type Draft, reasonOf, STOPPED } from "./draft.ts";
import { retryMs } from "./facts.ts";
import { advance } from "./next-job.ts";
import { NOTED, type Row, UNASKED } from "./row.ts";
import type { HandingOver, Reserving, UpdateState } from "./state.ts";

export const reserving: Row<"reserving"> = {
  ...UNASKED,
  ...NOTED,
  orders: { ignored: "noted; the answer to the request is waited for, so that a grant is not lost sight of" },
  "reserve-granted": {
    to: ["handing-over", "prepared", "idle", "preparing"],
    run: (draft, state, { token, ttlMs }) => {
      const { work, sentAt } = state;
      const { facts } = draft;
      const { jobId } = work.job;
      if (token <= facts.journal.lastToken) return wait(draft, state, STALE);
      if (facts.session === null) return wait(draft, state, LOST);
      if (facts.orders.desired?.jobId !== jobId || facts.orders.turn?.jobId !== jobId) {
        draft.tell({ kind: "cancel", session: facts.session, token });
        draft.note(jobId, "reserve", `The lease (token ${token}) is given back: it is not wanted any more.`);
        return advance(draft, work, null);
      }
      draft.note(jobId, "reserve", `The lease is reserved (token ${token}).`);
      const op = draft.ask({ kind: "hand-over", jobId, peers: facts.orders.turn.peers });
      return {
        kind: "handing-over",
        work,
        token,
        op,
        renewal: null,
        ...reservedFrom(sentAt, ttlMs),
      };
    },
  },
  "reserve-failed": {
    to: ["prepared", "idle", "preparing"],
    run: (draft, state, { failure }) => wait(draft, state, failure),
  },
  "stop-requested": { to: ["exiting"], run: (draft, { work }) => draft.exit(0, STOPPED, work.job.jobId) },
};

/** A reservation counts from the sending of the request, and is renewed after a third of its time. */
export const reservedFrom = (
  sentAt: number,
  ttlMs: number,
): Pick<HandingOver, "renewAt" | "reservedUntil"> => ({
  renewAt: sentAt + Math.floor(ttlMs / 3),
  reservedUntil: sentAt + ttlMs,
});

const STALE: LeaseFailure = {
  kind: "refused",
  ...because("stale-token", "The coordinator granted a token that this node has said its last word on."),
};
const LOST: LeaseFailure = {
  kind: "unreachable",
  ...because("no-session", "The session ended while the lease was asked for."),
};

function wait(draft: Draft, { work }: Reserving, failure: LeaseFailure): UpdateState {
  const waitMs = Math.max(failure.retryAfterMs ?? 0, retryMs(draft.policy, 1));
  const reason = reasonOf(failure);
  draft.note(work.job.jobId, "reserve", `No lease yet: ${reason.message}`);
  return advance(draft, work, { until: draft.now + waitMs, reason });
}
