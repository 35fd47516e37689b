import { showBuild } from "../../../protocol/build.ts";
import { withFinalWord, withoutWords } from "../journal.ts";
import type { Draft } from "./draft.ts";
import type { EventOf } from "./event.ts";

/** What orders say of last words, where nothing else is written to the journal: one write at a time. */
export function hearOfWords(draft: Draft, orders: EventOf<"orders">): void {
  if (draft.facts.writing !== null) return;
  acknowledge(draft, orders);
  if (draft.facts.writing === null) adopt(draft, orders);
}

/** Drops from the journal the words that the coordinator has stored. */
function acknowledge(draft: Draft, { acknowledged }: EventOf<"orders">): void {
  const { journal } = draft.facts;
  if (!journal.finalWords.some(({ token }) => acknowledged.includes(token))) return;
  draft.learn({
    writing: draft.ask({ kind: "write-journal", journal: withoutWords(journal, acknowledged) }),
  });
}

/**
 * A node whose journal was lost cannot know that it still owes the word `confirmed`. When the coordinator says keep
 * it to this very instance, under a token that no word was said on, and nothing is left that could go back, then
 * the word is true: it is said.
 */
function adopt(draft: Draft, { confirm, desired }: EventOf<"orders">): void {
  const { journal, self } = draft.facts;
  if (confirm === null) return;
  if (confirm.instanceId !== self.instanceId || confirm.token <= journal.lastToken) return;
  if (self.dist?.build.buildHash !== self.running.buildHash) return;
  const jobId = desired?.jobId ?? UNKNOWN_JOB;
  draft.note(
    jobId,
    "confirm",
    `The journal was lost, but ${showBuild(self.running)} runs and stays: confirmed.`,
  );
  const word = { token: confirm.token, jobId, word: "confirmed", reason: null } as const;
  const next = withFinalWord(journal, word, { jobEnded: false });
  draft.learn({ writing: draft.ask({ kind: "write-journal", journal: next }) });
}

/** For a word on a token whose job was lost with the journal: the token alone decides. */
const UNKNOWN_JOB = "j-000000000000";
