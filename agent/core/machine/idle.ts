import { showBuild } from "../../../protocol/build.ts";
import { withFinalWord } from "../journal.ts";
import { type Draft, STOPPED } from "./draft.ts";
import type { EventOf } from "./event.ts";
import { acknowledge, consider } from "./next-job.ts";
import { NOTED, type Row, UNASKED } from "./row.ts";

export const idle: Row<"idle"> = {
  ...UNASKED,
  ...NOTED,
  orders: {
    to: ["preparing"],
    run: (draft, state, event) => {
      acknowledge(draft, event);
      adopt(draft, event);
      return consider(draft, state.backoff);
    },
  },
  tick: { to: ["preparing"], run: (draft, state) => consider(draft, state.backoff) },
  "journal-written": { to: ["preparing"], run: (draft, state) => consider(draft, state.backoff) },
  "journal-failed": { to: ["preparing"], run: (draft, state) => consider(draft, state.backoff) },
  "stop-requested": { to: ["exiting"], run: (draft) => draft.exit(0, STOPPED, null) },
};

/**
 * A node that lost its journal cannot know that it still owes the word `confirmed`. When the coordinator says keep
 * it to this very instance, and there is nothing left that could go back, the word is true: it is said.
 */
function adopt(draft: Draft, { confirm, desired }: EventOf<"orders">): void {
  const { facts } = draft;
  if (!facts.lostJournal || facts.writing !== null || confirm === null || desired === null) return;
  if (confirm.instanceId !== facts.self.instanceId || confirm.token <= facts.journal.lastToken) return;
  const { dist, running } = facts.self;
  if (dist === null || dist.build.buildHash !== running.buildHash) return;
  const { jobId } = desired;
  draft.note(jobId, "confirm", `The journal was lost, but ${showBuild(running)} runs and stays: confirmed.`);
  const word = { token: confirm.token, jobId, word: "confirmed", reason: null } as const;
  const journal = withFinalWord(facts.journal, word, { jobEnded: true });
  draft.learn({ writing: draft.ask({ kind: "write-journal", journal }) });
}
