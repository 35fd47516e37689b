/** What the coordinator says of itself. */
import { type Static, Type } from "./schema.ts";

const closed = { additionalProperties: false };

/** The process answers. */
export const Alive = Type.Object({ status: Type.Literal("ok") }, { ...closed, title: "Alive" });

/** Whether it can do its work; `reasons` says what is missing when it cannot, `notes` what is as it should be. */
export const Readiness = Type.Object(
  { ready: Type.Boolean(), reasons: Type.Array(Type.String()), notes: Type.Array(Type.String()) },
  { ...closed, title: "Readiness" },
);

export const ServiceVersion = Type.Object(
  {
    version: Type.String(),
    /** Newest version of the agents' protocol that it speaks, and the oldest. */
    protocol: Type.Integer({ minimum: 1 }),
    oldestProtocol: Type.Integer({ minimum: 1 }),
  },
  { ...closed, title: "ServiceVersion" },
);
export type ServiceVersion = Static<typeof ServiceVersion>;

/** Body of an action that needs none, and its absence. */
export const NoBody = Type.Object({}, { ...closed, title: "NoBody" });
