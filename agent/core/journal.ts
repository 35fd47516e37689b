/**
 * What the agent writes down so that a crash at any instant is understood at the next start: the journal, the
 * record of a swap (also kept in `trial/`), and the verdict that tells the old build why it is back. Pure: shapes
 * and what follows from them; the effects read and write the files.
 *
 * Invariants:
 * - The journal is one file, replaced as a whole; what it says was true when it was written.
 * - A final word is in the journal before it is said, and stays until the coordinator has acknowledged it.
 * - An unconfirmed build writes nothing here that `from` cannot read: the format is 1 until a release is out that
 *   reads a newer one.
 */
import { Build } from "../../protocol/build.ts";
import { Reason } from "../../protocol/job.ts";
import { FinalWord, type JournalReport } from "../../protocol/journal.ts";
import { InstanceId, JobId } from "../../protocol/names.ts";
import { literals, nullable, type Static, Type } from "../../protocol/schema.ts";
import { LeaseToken } from "../../protocol/token.ts";

const closed = { additionalProperties: false };

/** A build and the text of the link that names it, such as `releases/1.4.0-3f2a9c1b7d20`. */
export const Placed = Type.Object(
  { build: Build, link: Type.String({ pattern: "^releases/[^/]+$" }) },
  closed,
);
export type Placed = Static<typeof Placed>;

/** Everything about one swap that a later process must know, whichever build it runs. */
export const Swap = Type.Object(
  {
    jobId: JobId,
    kind: literals(["update", "rollback"]),
    token: LeaseToken,
    /** The process that swapped; a confirm is for another one. */
    instanceId: InstanceId,
    from: Placed,
    to: Placed,
    /** What `dist.bak` named before, and names again if the node goes back. */
    previousBackup: nullable(Placed),
    /** Signed `minVersion` of `to`: the floor once it is confirmed. */
    minVersion: nullable(Type.String()),
    /** The old build had a session just before the swap: only then may the new one be blamed for having none. */
    connected: Type.Boolean(),
  },
  { ...closed, title: "Swap" },
);
export type Swap = Static<typeof Swap>;

export const JournalPhase = Type.Union([
  Type.Object({ kind: Type.Literal("idle") }, closed),
  Type.Object({ kind: Type.Literal("committing"), token: LeaseToken, jobId: JobId }, closed),
  Type.Object({ kind: Type.Literal("swapping"), swap: Swap }, closed),
  Type.Object({ kind: Type.Literal("confirmed"), swap: Swap }, closed),
]);
export type JournalPhase = Static<typeof JournalPhase>;

/** `state/journal.json`. */
export const Journal = Type.Object(
  {
    format: Type.Literal(1),
    phase: JournalPhase,
    /** Said in every heartbeat until acknowledged. */
    finalWords: Type.Array(FinalWord, { maxItems: 64 }),
    /** Highest token that a final word was said on; one that is not above it is never acted upon. */
    lastToken: Type.Integer({ minimum: 0 }),
    /** Set by a rollback on purpose: the node stays until told to retry. */
    hold: Type.Boolean(),
    /** The last job that came to its end here; it is not begun again, however long it stays desired. */
    endedJob: nullable(JobId),
  },
  { ...closed, title: "Journal" },
);
export type Journal = Static<typeof Journal>;

export const EMPTY_JOURNAL: Journal = {
  format: 1,
  phase: { kind: "idle" },
  finalWords: [],
  lastToken: 0,
  hold: false,
  endedJob: null,
};

/** Why a build went back: laid ready in `trial/`, moved to `state/verdict` by who goes back, read by the old build. */
export const Verdict = Type.Object(
  {
    token: LeaseToken,
    jobId: JobId,
    by: literals(["agent", "guard"]),
    reason: Reason,
    /** The new build had no session: whether it is to blame shows when the old one has one. */
    provisional: Type.Boolean(),
  },
  { ...closed, title: "Verdict" },
);
export type Verdict = Static<typeof Verdict>;

/** The journal with a last word: idle again, and the job is over or, after `not-acted`, may be tried again. */
export function withFinalWord(journal: Journal, word: FinalWord, ended: { jobEnded: boolean }): Journal {
  return {
    ...journal,
    phase: { kind: "idle" },
    finalWords: [...journal.finalWords.filter(({ token }) => token !== word.token), word].slice(-64),
    lastToken: Math.max(journal.lastToken, word.token),
    endedJob: ended.jobEnded ? word.jobId : journal.endedJob,
  };
}

/** The journal without the words that the coordinator has stored. */
export const withoutWords = (journal: Journal, acknowledged: readonly LeaseToken[]): Journal => ({
  ...journal,
  finalWords: journal.finalWords.filter(({ token }) => !acknowledged.includes(token)),
});

/**
 * What is said of the journal. `confirmed` is claimed only once `trial/` is gone, and then the final word says it:
 * until then the guard could still go back, and the claim stays `swapping`.
 */
export function journalReport({ phase }: Journal): JournalReport {
  switch (phase.kind) {
    case "idle":
      return { kind: "idle" };
    case "committing":
      return { kind: "committing", token: phase.token };
    case "swapping":
    case "confirmed": {
      const { token, jobId, from, to } = phase.swap;
      return { kind: "swapping", token, jobId, from: from.build, to: to.build };
    }
  }
}
