import { STOPPED } from "./draft.ts";
import { consider } from "./next-job.ts";
import { NOTED, type Row, UNASKED } from "./row.ts";
import { hearOfWords } from "./words.ts";

export const idle: Row<"idle"> = {
  ...UNASKED,
  ...NOTED,
  orders: {
    to: ["preparing"],
    run: (draft, state, event) => {
      hearOfWords(draft, event);
      return consider(draft, state.backoff);
    },
  },
  tick: { to: ["preparing"], run: (draft, state) => consider(draft, state.backoff) },
  "journal-written": { to: ["preparing"], run: (draft, state) => consider(draft, state.backoff) },
  "journal-failed": { to: ["preparing"], run: (draft, state) => consider(draft, state.backoff) },
  "stop-requested": { to: ["exiting"], run: (draft) => draft.exit(0, STOPPED, null) },
};
