/** What changed, in order: the stream that browsers and other onlookers follow (`GET /v1/events`). */
import { literals, type Static, Type } from "./schema.ts";

const closed = { additionalProperties: false };

export const EVENT_KINDS = [
  "node",
  "node-removed",
  "group",
  "lease",
  "job",
  "rollout",
  "rollout-node",
  "release",
  "channel",
  "policy",
  "alert",
  "token",
  "webhook",
] as const;
export const EventKind = literals(EVENT_KINDS);
export type EventKind = (typeof EVENT_KINDS)[number];

/**
 * Something about `subject` is new. Ids only rise, and leave gaps. `value` is the subject as the API shows it now, so
 * that a reader who missed events in between is right again with the last; null when it is gone or has no view. A
 * `rollout` is shown without its nodes, which are `rollout-node` events of their own (`ROLLOUT/NODE`); of a `token` or
 * a `webhook` nothing is shown.
 */
export const FleetEvent = Type.Object(
  {
    id: Type.Integer({ minimum: 1 }),
    at: Type.Integer(),
    kind: EventKind,
    subject: Type.String(),
    value: Type.Unknown(),
  },
  { ...closed, title: "FleetEvent" },
);
export type FleetEvent = Static<typeof FleetEvent>;
