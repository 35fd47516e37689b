import { Sha256 } from "./build.ts";
import { Labels } from "./labels.ts";
import { GroupName, NodeId, NodeName } from "./names.ts";
import { literals, nullable, type Static, Type } from "./schema.ts";

const closed = { additionalProperties: false };

/** A hundred years at most: what is longer is meant to be for ever, which is said by leaving it out. */
const Ttl = Type.Integer({ minimum: 1000, maximum: 3_155_760_000_000 });

/** viewer sees; operator updates nodes and runs rollouts; admin has members, tokens, breaks and policy as well. */
export const OperatorRole = literals(["viewer", "operator", "admin"]);
export type OperatorRole = Static<typeof OperatorRole>;

export const OperatorToken = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    role: OperatorRole,
    createdAt: Type.Integer(),
    lastUsedAt: nullable(Type.Integer()),
    expiresAt: nullable(Type.Integer()),
    revoked: Type.Boolean(),
  },
  { ...closed, title: "OperatorToken" },
);
export type OperatorToken = Static<typeof OperatorToken>;

/** The operator whose token a request carries. */
export const WhoAmI = Type.Object(
  { id: Type.String(), name: Type.String(), role: OperatorRole },
  { ...closed, title: "WhoAmI" },
);
export type WhoAmI = Static<typeof WhoAmI>;

export const CreateTokenRequest = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 64 }),
    role: OperatorRole,
    ttlMs: Type.Optional(Ttl),
  },
  { ...closed, title: "CreateTokenRequest" },
);

/** A join token: who holds it may enter one group, until it expires or is used up. */
export const CreateJoinTokenRequest = Type.Object(
  {
    group: GroupName,
    voter: Type.Optional(Type.Boolean()),
    autoApprove: Type.Optional(Type.Boolean()),
    uses: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
    ttlMs: Type.Optional(Ttl),
  },
  { ...closed, title: "CreateJoinTokenRequest" },
);
/** The secret is shown once. `command` is the one line to run on the node. */
export const JoinTokenCreated = Type.Object(
  { id: Type.String(), secret: Type.String(), rootFingerprint: nullable(Sha256), command: Type.String() },
  { ...closed, title: "JoinTokenCreated" },
);
/** A join token without its secret. `usesLeft` nodes may still use it, unless it has expired or was revoked. */
export const JoinToken = Type.Object(
  {
    id: Type.String(),
    group: GroupName,
    voter: Type.Boolean(),
    autoApprove: Type.Boolean(),
    usesLeft: Type.Integer({ minimum: 0 }),
    createdAt: Type.Integer(),
    createdBy: Type.String(),
    expiresAt: nullable(Type.Integer()),
    revoked: Type.Boolean(),
  },
  { ...closed, title: "JoinToken" },
);
export type JoinToken = Static<typeof JoinToken>;
export const JoinTokenList = Type.Object(
  { joinTokens: Type.Array(JoinToken), next: nullable(Type.String()) },
  { ...closed, title: "JoinTokenList" },
);
export const TokenCreated = Type.Object(
  { token: OperatorToken, secret: Type.String() },
  { ...closed, title: "TokenCreated" },
);

export const JoinRequest = Type.Object(
  { token: Type.String({ minLength: 1, maxLength: 256 }), name: NodeName, labels: Type.Optional(Labels) },
  { ...closed, title: "JoinRequest" },
);
export type JoinRequest = Static<typeof JoinRequest>;
/** The credential is shown once; the node keeps it, the coordinator keeps its hash. */
export const JoinReply = Type.Object(
  {
    nodeId: NodeId,
    name: NodeName,
    group: GroupName,
    credential: Type.String(),
    membership: literals(["pending", "approved"]),
  },
  { ...closed, title: "JoinReply" },
);
export type JoinReply = Static<typeof JoinReply>;

export const TokenList = Type.Object(
  { tokens: Type.Array(OperatorToken), next: nullable(Type.String()) },
  { ...closed, title: "TokenList" },
);

/** Header by which a node may say who it believes to be; refused when its credential is another's. */
export const NODE_HEADER = "baton-node";
