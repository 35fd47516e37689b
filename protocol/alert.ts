import { pageQuery } from "./paging.ts";
import { literals, nullable, type Static, Type } from "./schema.ts";

const closed = { additionalProperties: false };

export const ALERT_KINDS = [
  "update_failed",
  "fleet_update_halted",
  "lease_overdue",
  "node_offline",
  "build_crashing",
  "metadata_expiring",
  "certificate_expiring",
  "coordinator_disk_low",
  "webhook_failing",
  "rollout_not_started",
] as const;
export const AlertKind = literals(ALERT_KINDS);
export type AlertKind = (typeof ALERT_KINDS)[number];

/** Something a person should know of; raised once, resolved by itself. To acknowledge it changes nothing else. */
export const Alert = Type.Object(
  {
    id: Type.Integer(),
    kind: AlertKind,
    /** Id of the node, group, rollout, webhook or channel that it is about, or the name of the part of the coordinator. */
    subject: Type.String(),
    message: Type.String(),
    raisedAt: Type.Integer(),
    resolvedAt: nullable(Type.Integer()),
    /** What resolved it, as a sentence. */
    resolvedBy: nullable(Type.String()),
    acknowledgedAt: nullable(Type.Integer()),
    /** Who has taken it on, and what they said. */
    acknowledgedBy: nullable(Type.String()),
    note: nullable(Type.String()),
  },
  { ...closed, title: "Alert" },
);
export type Alert = Static<typeof Alert>;
export const AlertList = Type.Object(
  { alerts: Type.Array(Alert), next: nullable(Type.String()) },
  { ...closed, title: "AlertList" },
);
export type AlertList = Static<typeof AlertList>;

/** Without `state` the resolved ones too. */
export const AlertQuery = Type.Object(
  {
    ...pageQuery,
    state: Type.Optional(literals(["open", "all"])),
    kind: Type.Optional(AlertKind),
  },
  closed,
);
export type AlertQuery = Static<typeof AlertQuery>;

export const AcknowledgeRequest = Type.Object(
  { note: Type.Optional(Type.String({ minLength: 1, maxLength: 1000 })) },
  { ...closed, title: "AcknowledgeRequest" },
);
export type AcknowledgeRequest = Static<typeof AcknowledgeRequest>;
