/** Webhooks: addresses that are told of alerts and of what becomes of rollouts, each message signed. */
import { Alert, AlertKind } from "./alert.ts";
import { RolloutId } from "./names.ts";
import { RolloutStatus } from "./rollout.ts";
import { literals, nullable, type Static, Type } from "./schema.ts";

const closed = { additionalProperties: false };

/** Headers of every delivery. The signature is `v1=` and the hex HMAC-SHA256 of `TIMESTAMP.BODY` under the secret. */
export const WEBHOOK_HEADERS = {
  /** The same in every attempt to deliver the same thing: what came twice is known by it. */
  id: "baton-webhook-id",
  /** When this attempt was signed, in seconds since 1970. */
  timestamp: "baton-webhook-timestamp",
  signature: "baton-webhook-signature",
} as const;

export const WebhookId = Type.String({ pattern: "^w-[0-9a-z]{12}$", description: "Webhook id" });
export type WebhookId = Static<typeof WebhookId>;

/** What can become of a rollout, as webhooks are told of it. */
export const ROLLOUT_NOTICES = [
  "rollout.started",
  "rollout.running",
  "rollout.retried",
  "rollout.paused",
  "rollout.halted",
  "rollout.completed",
  "rollout.cancelled",
  "rollout.failed",
] as const;
export const RolloutNotice = literals(ROLLOUT_NOTICES);
export type RolloutNotice = (typeof ROLLOUT_NOTICES)[number];

export const WebhookEvent = literals([
  "alert.raised",
  "alert.resolved",
  ...ROLLOUT_NOTICES,
  "webhook.test",
] as const);
export type WebhookEvent = Static<typeof WebhookEvent>;

/** A rollout as a message shows it. */
export const RolloutBrief = Type.Object(
  {
    id: RolloutId,
    release: nullable(Type.String()),
    status: RolloutStatus,
    reason: nullable(Type.String()),
  },
  closed,
);
export type RolloutBrief = Static<typeof RolloutBrief>;

/** Body of a delivery. `alert` or `rollout` is as it was when it happened; the one that it is not about is null. */
export const WebhookMessage = Type.Object(
  {
    /** The `baton-webhook-id`. */
    id: Type.String(),
    webhook: WebhookId,
    event: WebhookEvent,
    at: Type.Integer(),
    alert: nullable(Alert),
    rollout: nullable(RolloutBrief),
  },
  { ...closed, title: "WebhookMessage" },
);
export type WebhookMessage = Static<typeof WebhookMessage>;

const url = Type.String({ minLength: 1, maxLength: 2048 });
const alerts = nullable(Type.Array(AlertKind, { uniqueItems: true }));
const rollouts = Type.Array(RolloutNotice, { uniqueItems: true });

export const Webhook = Type.Object(
  {
    id: WebhookId,
    url,
    /** Kinds of alerts that it is told of; null: all. */
    alerts,
    /** What it is told of rollouts. */
    rollouts,
    enabled: Type.Boolean(),
    createdAt: Type.Integer(),
    createdBy: Type.String(),
  },
  { ...closed, title: "Webhook" },
);
export type Webhook = Static<typeof Webhook>;
export const WebhookList = Type.Object(
  { webhooks: Type.Array(Webhook), next: nullable(Type.String()) },
  { ...closed, title: "WebhookList" },
);
/** The secret that its messages are signed with is shown once. */
export const WebhookCreated = Type.Object(
  { webhook: Webhook, secret: Type.String() },
  { ...closed, title: "WebhookCreated" },
);
export type WebhookCreated = Static<typeof WebhookCreated>;

/** Unless told otherwise: all alerts, nothing of rollouts, enabled. */
export const CreateWebhookRequest = Type.Object(
  {
    url,
    alerts: Type.Optional(alerts),
    rollouts: Type.Optional(rollouts),
    enabled: Type.Optional(Type.Boolean()),
  },
  { ...closed, title: "CreateWebhookRequest" },
);
export type CreateWebhookRequest = Static<typeof CreateWebhookRequest>;
export const EditWebhookRequest = Type.Object(
  {
    url: Type.Optional(url),
    alerts: Type.Optional(alerts),
    rollouts: Type.Optional(rollouts),
    enabled: Type.Optional(Type.Boolean()),
  },
  { ...closed, title: "EditWebhookRequest" },
);
export type EditWebhookRequest = Static<typeof EditWebhookRequest>;

/** `waiting`: to be tried, or tried again. `failed`: given up. */
export const DeliveryStatus = literals(["waiting", "delivered", "failed"]);
export type DeliveryStatus = Static<typeof DeliveryStatus>;

/** One message to one webhook. Those of a webhook are delivered in the order of their ids, one at a time. */
export const Delivery = Type.Object(
  {
    id: Type.Integer({ minimum: 1 }),
    webhook: WebhookId,
    event: WebhookEvent,
    /** Id of the alert or rollout that it tells of. */
    subject: Type.String(),
    status: DeliveryStatus,
    createdAt: Type.Integer(),
    attempts: Type.Integer({ minimum: 0 }),
    /** HTTP status of the last answer; null when there was none. */
    lastStatus: nullable(Type.Integer()),
    lastError: nullable(Type.String()),
    nextTryAt: nullable(Type.Integer()),
    endedAt: nullable(Type.Integer()),
  },
  { ...closed, title: "Delivery" },
);
export type Delivery = Static<typeof Delivery>;
export const DeliveryList = Type.Object(
  { deliveries: Type.Array(Delivery), next: nullable(Type.String()) },
  { ...closed, title: "DeliveryList" },
);
