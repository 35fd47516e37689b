import { showBuild } from "../../../protocol/build.ts";
import type { Fault } from "../../../protocol/result.ts";
import { type Journal, type Swap, withFinalWord } from "../journal.ts";
import { because, type Draft, reasonOf, STOPPED } from "./draft.ts";
import { retryMs } from "./facts.ts";
import { consider } from "./next-job.ts";
import { NOTED, type Row, UNASKED } from "./row.ts";
import type { Confirming, UpdateState } from "./state.ts";

export const confirming: Row<"confirming"> = {
  ...UNASKED,
  ...NOTED,
  orders: { ignored: "noted; the build is being kept already" },
  tick: {
    to: [],
    run: (draft, state) =>
      state.retryAt === null || draft.now < state.retryAt ? state : perform(draft, state, state.step),
  },
  "journal-written": {
    to: ["idle", "preparing", "exiting"],
    run: (draft, state) => (state.step === "journal" ? perform(draft, state, "trial") : kept(draft, state)),
  },
  "journal-failed": { to: ["exiting"], run: (draft, state, { fault }) => again(draft, state, fault) },
  "disk-done": {
    to: [],
    run: (draft, state) => perform(draft, state, state.step === "trial" ? "floor" : "word"),
  },
  "disk-failed": { to: ["exiting"], run: (draft, state, { fault }) => again(draft, state, fault) },
  "guard-was-faster": {
    to: ["exiting"],
    run: (draft, { swap }) => {
      const why = because("guard-was-faster", "The guard went back before the build could be kept.");
      draft.note(swap.jobId, "rollback", why.message);
      return draft.exit(75, why, swap.jobId);
    },
  },
  "stop-requested": {
    to: ["exiting"],
    run: (draft, state) =>
      state.op === null
        ? draft.exit(0, STOPPED, state.swap.jobId)
        : draft.ignore(state, "noted; it is done in a moment"),
  },
};

/** Our confirm came: keep the build, durably, step by step. */
export function confirmNow(draft: Draft, swap: Swap): Confirming {
  draft.note(swap.jobId, "confirm", `The coordinator says: keep ${showBuild(swap.to.build)}.`);
  return perform(draft, begun(swap), "journal");
}

/** After a crash with journal `confirmed` and `dist == to`. */
export const goOnConfirming = (draft: Draft, swap: Swap): Confirming => perform(draft, begun(swap), "trial");

const begun = (swap: Swap): Confirming => ({
  kind: "confirming",
  swap,
  step: "journal",
  op: null,
  retryAt: null,
  attempts: 0,
});

function perform(draft: Draft, state: Confirming, step: Confirming["step"]): Confirming {
  const { swap } = state;
  const at = (op: number, done: Confirming["step"] = step): Confirming => ({
    ...state,
    step: done,
    op,
    retryAt: null,
  });
  const { journal } = draft.facts;
  switch (step) {
    case "journal":
      return at(
        draft.ask({ kind: "write-journal", journal: { ...journal, phase: { kind: "confirmed", swap } } }),
      );
    case "trial":
      return at(draft.ask({ kind: "remove-trial", swap, confirmed: true }));
    case "floor":
      if (swap.minVersion === null) return perform(draft, state, "word");
      return at(draft.ask({ kind: "raise-floor", minVersion: swap.minVersion }));
    case "word":
      return at(draft.ask({ kind: "write-journal", journal: confirmedJournal(journal, swap) }));
  }
}

/** The last word, and after a rollback on purpose the hold, in one write. */
function confirmedJournal(journal: Journal, swap: Swap): Journal {
  const { token, jobId } = swap;
  const word = { token, jobId, word: "confirmed", reason: null } as const;
  const hold = swap.kind === "rollback" ? true : journal.hold;
  return { ...withFinalWord(journal, word, { jobEnded: true }), hold };
}

function kept(draft: Draft, { swap }: Confirming): UpdateState {
  draft.note(swap.jobId, "complete", `${showBuild(swap.to.build)} is confirmed.`);
  draft.tell({ kind: "collect-garbage", releases: true });
  const reason = because("confirmed", `${showBuild(swap.to.build)} is kept.`);
  draft.learn({ outcome: { jobId: swap.jobId, build: swap.to.build, reason, result: "succeeded" } });
  return consider(draft);
}

function again(draft: Draft, state: Confirming, fault: Fault): UpdateState {
  if (draft.facts.stopping) return draft.exit(0, STOPPED, state.swap.jobId);
  const attempts = state.attempts + 1;
  if (attempts === 1)
    draft.note(state.swap.jobId, "confirm", `${reasonOf(fault).message} It is tried again.`);
  return { ...state, op: null, attempts, retryAt: draft.now + retryMs(draft.policy, attempts) };
}
