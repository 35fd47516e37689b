import { STOPPED } from "./draft.ts";
import { advance } from "./next-job.ts";
import { NOTED, type Row, UNASKED } from "./row.ts";
import { hearOfWords } from "./words.ts";

export const prepared: Row<"prepared"> = {
  ...UNASKED,
  ...NOTED,
  orders: {
    to: ["reserving", "idle", "preparing"],
    run: (draft, { work, denied }, event) => {
      hearOfWords(draft, event);
      // A turn that is given anew is a poke: what was denied before may be granted now.
      const poked =
        draft.before.orders.turn?.jobId !== work.job.jobId && event.turn?.jobId === work.job.jobId;
      return advance(draft, work, work.rounds === 0 && poked ? null : denied);
    },
  },
  "session-opened": { to: ["reserving"], run: (draft, state) => advance(draft, state.work, state.denied) },
  "session-closed": { to: [], run: (draft, state) => advance(draft, state.work, state.denied) },
  tick: { to: ["reserving"], run: (draft, state) => advance(draft, state.work, state.denied) },
  "journal-written": { to: ["reserving"], run: (draft, state) => advance(draft, state.work, state.denied) },
  "journal-failed": { ignored: "the words are dropped again when they are acknowledged again" },
  "stop-requested": { to: ["exiting"], run: (draft, { work }) => draft.exit(0, STOPPED, work.job.jobId) },
};
