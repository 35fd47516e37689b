/** What is kept of webhooks and of the messages to them. */
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

const KINDS: readonly string[] = [
  "webhook",
  "remove-webhook",
  "notice",
  "delivery",
  "delivery-sent",
  "deliveries-due",
] satisfies WebhookChange["kind"][];

export const isWebhookChange = <C extends { readonly kind: string }>(
  change: C,
): change is Extract<C, WebhookChange> => KINDS.includes(change.kind);

/** Which deliveries of a webhook, newest first. */
export type DeliveryFilter = {
  readonly webhookId: WebhookId;
  /** Only those with a lower id. */
  readonly before?: number | undefined;
  readonly limit: number;
};
