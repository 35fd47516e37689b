import { literals, nullable, type Static, Type } from "./schema.ts";

const closed = { additionalProperties: false };

/** Something a person should know of; raised once, resolved by itself. */
export const Alert = Type.Object(
  {
    id: Type.Integer(),
    kind: literals([
      "update_failed",
      "fleet_update_halted",
      "lease_overdue",
      "node_offline",
      "metadata_expiring",
    ]),
    /** Id of the node, group or rollout that it is about. */
    subject: Type.String(),
    message: Type.String(),
    raisedAt: Type.Integer(),
    resolvedAt: nullable(Type.Integer()),
  },
  { ...closed, title: "Alert" },
);
export type Alert = Static<typeof Alert>;
export const AlertList = Type.Object(
  { alerts: Type.Array(Alert), next: nullable(Type.String()) },
  { ...closed, title: "AlertList" },
);
