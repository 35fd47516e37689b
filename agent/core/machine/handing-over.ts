import type { Reason } from "../../../protocol/job.ts";
import { because, type Draft, reasonOf, STOPPED } from "./draft.ts";
import { reservedFrom } from "./reserving.ts";
import { resumeThen } from "./resume-then.ts";
import { NOTED, type Row, UNASKED } from "./row.ts";
import type { HandingOver, Resuming, UpdateState } from "./state.ts";

export const handingOver: Row<"handing-over"> = {
  ...UNASKED,
  ...NOTED,
  orders: {
    to: ["resuming"],
    run: (draft, state) => {
      const { desired, turn } = draft.facts.orders;
      const { jobId } = state.work.job;
      if (desired?.jobId !== jobId) {
        return giveBack(draft, state, because("cancelled", "The job is not wanted any more."));
      }
      if (turn?.jobId !== jobId) return giveBack(draft, state, because("no-turn", "The turn was withdrawn."));
      return state;
    },
  },
  tick: {
    to: ["resuming"],
    run: (draft, state) => {
      const { now, facts } = draft;
      if (now >= state.reservedUntil) return giveBack(draft, state, EXPIRED);
      if (now < state.renewAt || state.renewal !== null || facts.session === null) return state;
      const op = draft.ask({ kind: "renew", session: facts.session, token: state.token });
      return { ...state, renewal: { op, sentAt: now } };
    },
  },
  "renew-granted": {
    to: [],
    run: (draft, state, { ttlMs }) => ({
      ...state,
      renewal: null,
      ...reservedFrom(state.renewal?.sentAt ?? draft.now, ttlMs),
    }),
  },
  "renew-failed": {
    to: ["resuming"],
    run: (draft, state, { failure }) => {
      if (failure.kind === "refused") return giveBack(draft, { ...state, renewal: null }, reasonOf(failure));
      // Nobody knows: it is asked again, until the reservation is over for certain.
      const renewAt = Math.min(state.reservedUntil, draft.now + draft.policy.retryMinMs);
      return { ...state, renewal: null, renewAt };
    },
  },
  "hand-over-done": {
    to: ["committing", "resuming"],
    run: (draft, state) => {
      const { work, token } = state;
      const { jobId } = work.job;
      if (draft.now >= state.reservedUntil) return giveBack(draft, state, EXPIRED);
      draft.note(jobId, "handover", "Nothing that this node leads is left on it.");
      const journal = { ...draft.facts.journal, phase: { kind: "committing", token, jobId } } as const;
      const op = draft.ask({ kind: "write-journal", journal });
      return {
        kind: "committing",
        work,
        token,
        step: "write",
        op,
        retryAt: null,
        settleBy: null,
        sentAt: draft.now,
        round: 1,
      };
    },
  },
  "hand-over-failed": {
    to: ["resuming"],
    run: (draft, state, { fault }) => giveBack(draft, state, reasonOf(fault), true),
  },
  "stop-requested": {
    to: ["exiting"],
    run: (draft, { token, work }) => {
      const { session } = draft.facts;
      if (session !== null) draft.tell({ kind: "cancel", session, token });
      return draft.exit(0, STOPPED, work.job.jobId);
    },
  },
};

const EXPIRED = because(
  "reservation-expired",
  "The reservation was over before leadership had left this node.",
);

/** The reservation is returned; nothing was in flight. */
function giveBack(draft: Draft, state: HandingOver, reason: Reason, failed = false): Resuming | UpdateState {
  return resumeThen(draft, state.work, state.token, { kind: "cancel", reason, failed, round: 0 });
}
