import { createHash, createHmac } from "node:crypto";
import type { EpochMs } from "../../../protocol/time.ts";
import { WEBHOOK_HEADERS, type WebhookMessage } from "../../../protocol/webhook.ts";

/**
 * Which message it is: the same in every attempt, and after a restart or a restore, so that a receiver can tell what
 * comes twice. A row's number would not do: after a restore it is given again.
 */
export const messageId = (
  of: Pick<WebhookMessage, "webhook" | "event" | "at"> & { subject: string },
): string =>
  createHash("sha256")
    .update(JSON.stringify([of.webhook, of.event, of.subject, of.at]))
    .digest("hex")
    .slice(0, 32);

/** What is sent: the body as it is signed, and its headers. */
export function signed(
  message: WebhookMessage,
  secret: string,
  now: EpochMs,
): { readonly body: string; readonly headers: Readonly<Record<string, string>> } {
  const body = JSON.stringify(message);
  const timestamp = String(Math.floor(now / 1000));
  const mac = createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex");
  return {
    body,
    headers: {
      "content-type": "application/json",
      [WEBHOOK_HEADERS.id]: message.id,
      [WEBHOOK_HEADERS.timestamp]: timestamp,
      [WEBHOOK_HEADERS.signature]: `v1=${mac}`,
    },
  };
}
