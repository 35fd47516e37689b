import { showBuild } from "../../../protocol/build.ts";
import type { Reason } from "../../../protocol/job.ts";
import type { Swap, Verdict } from "../journal.ts";
import { because, type Draft, reasonOf } from "./draft.ts";
import { undoSwapThen } from "./resume-then.ts";
import { NOTED, type Row, UNASKED } from "./row.ts";
import type { Swapping, UpdateState } from "./state.ts";

export const swapping: Row<"swapping"> = {
  ...UNASKED,
  ...NOTED,
  orders: { ignored: "noted; from here on it cannot be cancelled" },
  "journal-written": {
    to: [],
    run: (draft, state) => {
      const { swap } = state;
      const op = draft.ask({ kind: "write-trial", swap, ...readyFor(swap) });
      return { ...state, step: "trial", op };
    },
  },
  "journal-failed": {
    to: ["resuming"],
    run: (draft, state, { fault }) => undo(draft, state, reasonOf(fault), true),
  },
  "disk-done": {
    to: ["exiting", "resuming"],
    run: (draft, state) => {
      const { swap, actBy } = state;
      if (state.step === "flip") {
        draft.note(swap.jobId, "restart", `dist is ${showBuild(swap.to.build)} now; the agent restarts.`);
        return draft.exit(75, because("swapped", `dist names ${showBuild(swap.to.build)}.`), swap.jobId);
      }
      if (draft.now >= actBy) return undo(draft, state, TOO_LATE, false);
      return { ...state, step: "flip", op: draft.ask({ kind: "flip", swap, actBy }) };
    },
  },
  "disk-failed": {
    to: ["resuming"],
    run: (draft, state, { fault }) => undo(draft, state, reasonOf(fault), true),
  },
  "flip-too-late": { to: ["resuming"], run: (draft, state) => undo(draft, state, TOO_LATE, false) },
  "stop-requested": { ignored: "noted; the swap ends in a moment, and the process with it" },
};

const TOO_LATE = because(
  "act-within-passed",
  "It took too long to get ready for the swap; nothing was swapped.",
);

function undo(draft: Draft, { work, swap }: Swapping, reason: Reason, failed: boolean): UpdateState {
  draft.note(swap.jobId, "swap", `The swap is undone: ${reason.message}`);
  return undoSwapThen(draft, work, swap, { kind: "not-acted", reason, failed, round: 0 });
}

/** What the guard moves into place if it goes back: all that it can say is that the new build did not hold. */
function readyFor(swap: Swap): {
  quarantine: { build: Swap["to"]["build"]; reason: Reason; provisional: false; by: "guard" };
  verdict: Verdict;
} {
  const { token, jobId, to } = swap;
  const reason = because(
    "not-confirmed",
    `${showBuild(to.build)} used up its starts or its time without being confirmed, and this node went back.`,
  );
  return {
    quarantine: { build: to.build, reason, provisional: false, by: "guard" },
    verdict: { token, jobId, by: "guard", reason, provisional: false },
  };
}
