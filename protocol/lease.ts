import { Build } from "./build.ts";
import { GroupName, JobId, NodeId, NodeName, SessionId } from "./names.ts";
import { literals, nullable, type Static, Type } from "./schema.ts";
import { LeaseToken } from "./token.ts";

const closed = { additionalProperties: false };

/** Why a lease is refused. Each comes with a sentence and `retryAfterMs`. */
export const DENIALS = [
  "held-by",
  "not-your-turn",
  "quorum",
  "outside-window",
  "paused",
  "halted",
  "quarantined",
  "held",
  "leader-last",
  "leader-unknown",
  "in-rollout",
  "below-floor",
] as const;
export const Denial = literals(DENIALS);
export type Denial = (typeof DENIALS)[number];

export const ReserveRequest = Type.Object(
  { session: SessionId, jobId: JobId, build: Build },
  { ...closed, title: "ReserveRequest" },
);
export type ReserveRequest = Static<typeof ReserveRequest>;
export const ReserveReply = Type.Object(
  { token: LeaseToken, ttlMs: Type.Integer({ minimum: 1 }) },
  { ...closed, title: "ReserveReply" },
);
export type ReserveReply = Static<typeof ReserveReply>;

export const RenewRequest = Type.Object(
  { session: SessionId, token: LeaseToken },
  { ...closed, title: "RenewRequest" },
);
export type RenewRequest = Static<typeof RenewRequest>;
export const RenewReply = Type.Object(
  { ttlMs: Type.Integer({ minimum: 1 }) },
  { ...closed, title: "RenewReply" },
);
export type RenewReply = Static<typeof RenewReply>;

/** `needMs`: what the drain hook may take plus ten seconds for the flip. */
export const CommitRequest = Type.Object(
  { session: SessionId, token: LeaseToken, needMs: Type.Integer({ minimum: 0, maximum: 1_200_000 }) },
  { ...closed, title: "CommitRequest" },
);
export type CommitRequest = Static<typeof CommitRequest>;
/** `actWithinMs` counts from the moment the agent *sent* the request, on a clock that runs through suspend. */
export const CommitReply = Type.Object(
  { actWithinMs: Type.Integer({ minimum: 1 }) },
  { ...closed, title: "CommitReply" },
);
export type CommitReply = Static<typeof CommitReply>;

export const CancelRequest = RenewRequest;
export type CancelRequest = RenewRequest;

export const BreakRequest = Type.Object(
  { token: LeaseToken, reason: Type.String({ minLength: 1, maxLength: 500 }) },
  { ...closed, title: "BreakRequest" },
);
export type BreakRequest = Static<typeof BreakRequest>;

const LeaseHolder = Type.Object(
  {
    token: LeaseToken,
    nodeId: NodeId,
    nodeName: nullable(NodeName),
    jobId: JobId,
    phase: literals(["reserved", "in-flight"]),
    /** Wall clock of the coordinator. */
    since: Type.Integer(),
    overdue: Type.Boolean(),
  },
  closed,
);

/** A group's lease as anybody may see it. `broken` still count as down until their nodes say their last word. */
export const LeaseView = Type.Object(
  {
    group: GroupName,
    holder: nullable(LeaseHolder),
    broken: Type.Array(
      Type.Object({ token: LeaseToken, nodeId: NodeId, at: Type.Integer(), reason: Type.String() }, closed),
    ),
    /** Voters configured, quorum, spare, and how many voters serve right now. */
    voters: Type.Integer(),
    quorum: Type.Integer(),
    spare: Type.Integer(),
    serving: Type.Integer(),
  },
  { ...closed, title: "LeaseView" },
);
export type LeaseView = Static<typeof LeaseView>;
