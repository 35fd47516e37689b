/**
 * What is kept of webhooks, and which messages a change means. A message is a row that is written together with what
 * it tells of, so that none is lost: what delivers them only ever finds rows.
 */
import type { Alert } from "../../protocol/alert.ts";
import type { EpochMs } from "../../protocol/time.ts";
import type {
  DeliveryStatus,
  RolloutBrief,
  RolloutNotice,
  Webhook,
  WebhookEvent,
  WebhookId,
} from "../../protocol/webhook.ts";

/** The secret signs, so it is kept as it is; it leaves the coordinator once, when it is made. */
export type WebhookRecord = Webhook & { readonly secret: string };

/** What a message says, but for what only its delivery knows. */
export type Payload = { readonly alert: Alert | null; readonly rollout: RolloutBrief | null };

/** Something that webhooks may want to be told. */
export type Notice = Payload & {
  readonly event: WebhookEvent;
  readonly subject: string;
  readonly at: EpochMs;
};

export type DeliveryDraft = Notice & { readonly webhookId: WebhookId };

export type DeliveryRecord = DeliveryDraft & {
  readonly id: number;
  readonly status: DeliveryStatus;
  readonly attempts: number;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  /** Null when it has ended. */
  readonly nextTryAt: EpochMs | null;
  readonly endedAt: EpochMs | null;
};

/** What came of an attempt. */
export type DeliveryResult = Pick<
  DeliveryRecord,
  "status" | "attempts" | "lastStatus" | "lastError" | "nextTryAt" | "endedAt"
>;

export type WebhookChange =
  | { readonly kind: "webhook"; readonly value: WebhookRecord; readonly expected: number }
  /** Its deliveries go with it. */
  | { readonly kind: "remove-webhook"; readonly id: WebhookId; readonly expected: number }
  /** Tells the webhooks that want to be told; nobody else sees it. */
  | {
      readonly kind: "notice";
      readonly event: RolloutNotice;
      readonly rollout: RolloutBrief;
      readonly at: EpochMs;
    }
  /** What came of a delivery that has been tried `expected` times before and is still waiting. */
  | {
      readonly kind: "delivery";
      readonly id: number;
      readonly value: DeliveryResult;
      readonly expected: number;
    }
  /** A message that was sent outside of the queue, for the log of deliveries. */
  | { readonly kind: "delivery-sent"; readonly value: Omit<DeliveryRecord, "id"> }
  /** What waits for a webhook is tried at once. */
  | { readonly kind: "deliveries-due"; readonly webhookId: WebhookId; readonly at: EpochMs };

/** The messages that a change means. `alerts`: those that it has opened or closed. */
export function noticesOf(
  change: { readonly kind: string } | Extract<WebhookChange, { kind: "notice" }>,
  alerts: readonly Alert[],
): readonly Notice[] {
  if (change.kind === "notice" && "rollout" in change) {
    const { event, rollout, at } = change;
    return [{ event, subject: rollout.id, at, alert: null, rollout }];
  }
  if (change.kind !== "raise" && change.kind !== "resolve") return [];
  return alerts.map((alert) => ({
    event: change.kind === "raise" ? "alert.raised" : "alert.resolved",
    subject: String(alert.id),
    at: alert.resolvedAt ?? alert.raisedAt,
    alert,
    rollout: null,
  }));
}

/** To whom each notice goes. */
export const deliveriesOf = (
  notices: readonly Notice[],
  webhooks: readonly WebhookRecord[],
): readonly DeliveryDraft[] =>
  notices.flatMap((notice) =>
    webhooks
      .filter((webhook) => webhook.enabled && wants(webhook, notice))
      .map((webhook) => ({ ...notice, webhookId: webhook.id })),
  );

/** A webhook is not told that it cannot be told. */
function wants({ id, alerts, rollouts }: WebhookRecord, { alert, event }: Notice): boolean {
  if (alert === null) return rollouts.some((each) => each === event);
  if (alert.kind === "webhook_failing" && alert.subject === id) return false;
  return alerts === null || alerts.includes(alert.kind);
}

/** Which deliveries of a webhook, newest first. */
export type DeliveryFilter = {
  readonly webhookId: WebhookId;
  /** Only those with a lower id. */
  readonly before?: number;
  readonly limit: number;
};
