/**
 * Which messages to webhooks a change means. They are rows that are written together with what they tell of, so that
 * none is lost over a restart: what delivers them only ever finds rows.
 */
import type { Alert } from "../../protocol/alert.ts";
import type { Change } from "./records.ts";
import type { DeliveryDraft, Notice, WebhookRecord } from "./webhooks.ts";

/** `alerts`: those that the change has opened, closed or marked. */
export function noticesOf(change: Change, alerts: readonly Alert[]): readonly Notice[] {
  if (change.kind === "notice") {
    const { event, rollout, at } = change;
    return [{ event, subject: rollout.id, at, alert: null, rollout }];
  }
  if (change.kind !== "raise" && change.kind !== "resolve") return [];
  const event = change.kind === "raise" ? "alert.raised" : "alert.resolved";
  return alerts.map((alert) => ({
    event,
    subject: String(alert.id),
    at: change.at,
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
