import { nullable, type Static, Type } from "./schema.ts";

const closed = { additionalProperties: false };

/** One change that somebody made: who, what, on what, before, after, when, from where. */
export const AuditEntry = Type.Object(
  {
    id: Type.Integer(),
    at: Type.Integer(),
    actor: Type.String(),
    action: Type.String(),
    subject: Type.String(),
    before: Type.Unknown(),
    after: Type.Unknown(),
    from: Type.String(),
    /** Of the request that it came of, as the coordinator's log has it. Absent for what came of none. */
    requestId: Type.Optional(Type.String()),
  },
  { ...closed, title: "AuditEntry" },
);
export type AuditEntry = Static<typeof AuditEntry>;
export const AuditList = Type.Object(
  { entries: Type.Array(AuditEntry), next: nullable(Type.String()) },
  { ...closed, title: "AuditList" },
);
