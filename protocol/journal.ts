import { Build } from "./build.ts";
import { Reason } from "./job.ts";
import { JobId } from "./names.ts";
import { literals, type Static, Type } from "./schema.ts";
import { LeaseToken } from "./token.ts";

const closed = { additionalProperties: false };

/** What an agent says of its durable journal. A claim of `committing` or `swapping` never proves that a lease may return. */
export const JournalReport = Type.Union(
  [
    Type.Object({ kind: Type.Literal("idle") }, closed),
    Type.Object({ kind: Type.Literal("committing"), token: LeaseToken }, closed),
    Type.Object(
      { kind: Type.Literal("swapping"), token: LeaseToken, jobId: JobId, from: Build, to: Build },
      closed,
    ),
    Type.Object({ kind: Type.Literal("confirmed"), token: LeaseToken }, closed),
  ],
  { title: "JournalReport" },
);
export type JournalReport = Static<typeof JournalReport>;

/**
 * A node's last word on a lease, repeated in every heartbeat until the coordinator acknowledges the token:
 * `not-acted` (nothing was flipped), `confirmed` (the new build is kept, durably), `rolled-back` (the old build is
 * back and `trial/` is gone), `inconclusive` (back, but the coordinator was away, so the build is not to blame).
 */
export const FinalWord = Type.Object(
  {
    token: LeaseToken,
    jobId: JobId,
    word: literals(["not-acted", "confirmed", "rolled-back", "inconclusive"]),
    reason: Type.Union([Reason, Type.Null()]),
  },
  { ...closed, title: "FinalWord" },
);
export type FinalWord = Static<typeof FinalWord>;

/** A build that this node will not try again unasked. `provisional`: it may have been the coordinator's absence. */
export const QuarantineEntry = Type.Object(
  {
    build: Build,
    reason: Reason,
    at: Type.Integer(),
    provisional: Type.Boolean(),
    by: literals(["agent", "guard"]),
  },
  { ...closed, title: "QuarantineEntry" },
);
export type QuarantineEntry = Static<typeof QuarantineEntry>;
