import { ok, type Result } from "../../../protocol/result.ts";
import type { Delivery, Webhook, WebhookId } from "../../../protocol/webhook.ts";
import { type Reach, webhookUrl } from "../../core/webhook/url.ts";
import type { Change, Stored } from "../../store/records.ts";
import type { DeliveryRecord, WebhookRecord } from "../../store/webhooks.ts";
import { attempt } from "../attempt.ts";
import { actorOf, audit } from "../audit.ts";
import { type Context, newId, newSecret } from "../context.ts";
import type { Refusal, Webhooks } from "../coordinator.ts";
import { noWebhook } from "../refusals.ts";
import { denyStale, webhookTag } from "../tags.ts";
import { alertOf, send } from "./deliver.ts";
import type { Post } from "./post.ts";

export const createWebhooks = (ctx: Context, post: Post, reach: Reach): Webhooks => ({
  list: async () => (await ctx.store.webhooks()).map(({ value }) => show(value)),

  async get(id) {
    const webhook = await ctx.store.webhook(id);
    return webhook === null ? noWebhook(id) : ok(show(webhook.value));
  },

  async create(by, { url, alerts = null, rollouts = [], enabled = true }) {
    const checked = webhookUrl(url, reach);
    if (!checked.ok) return checked;
    const { actor } = actorOf(by);
    const secret = newSecret(ctx.random, "webhook");
    const about = { url, alerts, rollouts, enabled, createdAt: ctx.wall(), createdBy: actor };
    const value: WebhookRecord = { id: newId(ctx.random, "w"), ...about, secret };
    const changes: Change[] = [
      { kind: "webhook", value, expected: 0 },
      audit(ctx, actorOf(by), "webhook.created", value.id, null, brief(value)),
    ];
    return attempt(ctx.store, async () => ({ changes, answer: ok({ webhook: show(value), secret }) }));
  },

  async edit(by, id, change, ifMatch = null) {
    const checked = change.url === undefined ? null : webhookUrl(change.url, reach);
    if (checked?.ok === false) return checked;
    return onWebhook(ctx, id, ifMatch, ({ value: before, revision }) => {
      const after: WebhookRecord = { ...before, ...change };
      if (webhookTag(after) === webhookTag(before)) return { changes: [], answer: ok(show(before)) };
      const changes: Change[] = [
        { kind: "webhook", value: after, expected: revision },
        audit(ctx, actorOf(by), "webhook.edited", id, brief(before), brief(after)),
      ];
      if (!after.enabled) changes.push(resolved(ctx, id, "It was disabled."));
      return { changes, answer: ok(show(after)) };
    });
  },

  remove: (by, id, ifMatch = null) =>
    onWebhook(ctx, id, ifMatch, ({ value, revision }) => ({
      changes: [
        { kind: "remove-webhook", id, expected: revision },
        resolved(ctx, id, "It was removed."),
        audit(ctx, actorOf(by), "webhook.removed", id, brief(value), null),
      ],
      answer: ok(show(value)),
    })),

  async test(by, id) {
    const webhook = await ctx.store.webhook(id);
    if (webhook === null) return noWebhook(id);
    const at = ctx.wall();
    const nothing = { alert: null, rollout: null };
    const notice = { event: "webhook.test", subject: id, at, ...nothing } as const;
    const posted = await send(ctx, post, webhook.value, notice, new AbortController().signal);
    const endedAt = ctx.wall();
    const status = posted.error === null ? ("delivered" as const) : ("failed" as const);
    const tried = { attempts: 1, lastStatus: posted.status, lastError: posted.error };
    const value = { webhookId: id, ...notice, status, ...tried, nextTryAt: null, endedAt };
    const changes: Change[] = [
      { kind: "delivery-sent", value },
      audit(ctx, actorOf(by), "webhook.tested", id, null, { status, answer: posted.status }),
    ];
    // What waits for a receiver that is well again need not wait any longer.
    if (status === "delivered") {
      changes.push(
        { kind: "deliveries-due", webhookId: id, at: endedAt },
        ...alertOf(ctx, webhook.value, value),
      );
    }
    if ((await ctx.store.webhook(id)) === null) return noWebhook(id);
    await ctx.store.apply(changes);
    const [newest] = await ctx.store.deliveries({ webhookId: id, limit: 1 });
    return newest === undefined ? noWebhook(id) : ok(showDelivery(newest));
  },

  async deliveries(id, { before, limit }) {
    if ((await ctx.store.webhook(id)) === null) return noWebhook(id);
    return ok((await ctx.store.deliveries({ webhookId: id, before, limit })).map(showDelivery));
  },
});

function onWebhook(
  ctx: Context,
  id: WebhookId,
  ifMatch: string | null,
  decide: (webhook: Stored<WebhookRecord>) => {
    readonly changes: readonly Change[];
    readonly answer: Result<Webhook, Refusal>;
  },
): Promise<Result<Webhook, Refusal>> {
  return attempt<Result<Webhook, Refusal>>(ctx.store, async () => {
    const webhook = await ctx.store.webhook(id);
    if (webhook === null) return { changes: [], answer: noWebhook(id) };
    const stale = denyStale(ifMatch, webhookTag(webhook.value));
    return stale === null ? decide(webhook) : { changes: [], answer: stale };
  });
}

const resolved = (ctx: Context, subject: WebhookId, because: string): Change => ({
  kind: "resolve",
  alert: "webhook_failing",
  subject,
  at: ctx.wall(),
  because,
});

function show({ secret: _secret, ...webhook }: WebhookRecord): Webhook {
  return webhook;
}

/** The audit log is read by everybody who may see, and an address may hold a secret: only its host is in it. */
const brief = ({ url, alerts, rollouts, enabled }: WebhookRecord) => ({
  host: URL.parse(url)?.host ?? null,
  alerts,
  rollouts,
  enabled,
});

const showDelivery = (record: DeliveryRecord): Delivery => {
  const { webhookId: webhook, at: createdAt, alert: _alert, rollout: _rollout, ...shown } = record;
  return { ...shown, webhook, createdAt };
};
