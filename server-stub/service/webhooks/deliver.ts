import type { WebhookMessage } from "../../../protocol/webhook.ts";
import { nextTry } from "../../core/webhook/backoff.ts";
import { messageId, signed } from "../../core/webhook/message.ts";
import type { Change } from "../../store/records.ts";
import type { DeliveryRecord, DeliveryResult, Notice, WebhookRecord } from "../../store/webhooks.ts";
import type { Context } from "../context.ts";
import type { Post, Posted } from "./post.ts";

/** Failures of one message in a row after which a person is told. */
const TELL_AFTER = 3;

/** Signs and sends what is to be told. */
export function send(
  ctx: Context,
  post: Post,
  webhook: WebhookRecord,
  notice: Omit<Notice, "event"> & { readonly event: WebhookMessage["event"] },
  signal: AbortSignal,
): Promise<Posted> {
  const { event, at, subject, alert, rollout } = notice;
  const id = messageId({ webhook: webhook.id, event, subject, at });
  const message = { id, webhook: webhook.id, event, at, alert, rollout };
  return post.send(webhook.url, signed(message, webhook.secret, ctx.wall()), signal);
}

/** What came of an attempt, and when it is tried again if it is. */
export function resultOf(ctx: Context, delivery: DeliveryRecord, posted: Posted): DeliveryResult {
  const attempts = delivery.attempts + 1;
  const { status: lastStatus, error: lastError, retryAfterMs } = posted;
  const now = ctx.wall();
  const tried = { attempts, lastStatus, lastError };
  if (lastError === null) return { ...tried, status: "delivered", nextTryAt: null, endedAt: now };
  const chance = (ctx.random(1)[0] ?? 0) / 255;
  const nextTryAt = nextTry({ attempts, writtenAt: delivery.at, retryAfterMs }, now, chance);
  if (nextTryAt === null) return { ...tried, status: "failed", nextTryAt, endedAt: now };
  return { ...tried, status: "waiting", nextTryAt, endedAt: null };
}

/** The alert of the webhook, raised by failures and resolved by the first message that is taken. */
export function alertOf(ctx: Context, webhook: WebhookRecord, result: DeliveryResult): Change[] {
  const about = { alert: "webhook_failing", subject: webhook.id, at: ctx.wall() } as const;
  if (result.status === "delivered") {
    return [{ kind: "resolve", ...about, because: "A message was taken again." }];
  }
  if (result.status === "waiting" && result.attempts < TELL_AFTER) return [];
  // Everybody who may see reads it: the address itself may hold a secret.
  const host = URL.parse(webhook.url)?.host ?? "its address";
  const status = result.lastStatus === null ? "cannot be reached" : `answered ${result.lastStatus}`;
  const message = `Messages to ${host} are not taken: it ${status}.`;
  return [{ kind: "raise", ...about, message }];
}
