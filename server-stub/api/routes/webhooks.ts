import { PAGE_SIZE, PageQuery, pageOf } from "../../../protocol/paging.ts";
import { ok } from "../../../protocol/result.ts";
import { Type } from "../../../protocol/schema.ts";
import {
  CreateWebhookRequest,
  Delivery,
  DeliveryList,
  EditWebhookRequest,
  Webhook,
  WebhookCreated,
  WebhookId,
  WebhookList,
} from "../../../protocol/webhook.ts";
import type { Coordinator } from "../../service/coordinator.ts";
import { webhookTag } from "../../service/tags.ts";
import { cursorOf, numberOf } from "../cursors.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";

const params = Type.Object({ webhookId: WebhookId });

/** Where alerts and what becomes of rollouts are told. Administrators only: an address may hold a secret. */
export const webhookRoutes = ({ webhooks }: Pick<Coordinator, "webhooks">): readonly Endpoint[] => [
  endpoint({
    route: "GET /v1/webhooks",
    id: "listWebhooks",
    summary: "The webhooks, without their secrets",
    callers: "operator",
    query: PageQuery,
    answer: WebhookList,
    handle: async ({ query }) => {
      const page = pageOf(await webhooks.list(), ({ id }) => id, query);
      return page.ok ? ok({ webhooks: page.value.items, next: page.value.next }) : page;
    },
  }),
  endpoint({
    route: "POST /v1/webhooks",
    id: "createWebhook",
    summary: "A webhook; the secret that its messages are signed with is answered once",
    callers: "operator",
    body: CreateWebhookRequest,
    answer: WebhookCreated,
    status: 201,
    secret: true,
    handle: ({ by, body }) => webhooks.create(by, body),
  }),
  endpoint({
    route: "GET /v1/webhooks/:webhookId",
    id: "getWebhook",
    summary: "One webhook",
    callers: "operator",
    params,
    answer: Webhook,
    etag: webhookTag,
    handle: ({ params }) => webhooks.get(params.webhookId),
  }),
  endpoint({
    route: "PATCH /v1/webhooks/:webhookId",
    id: "editWebhook",
    summary: "Change where a webhook leads, what it is told, or whether it is told anything",
    callers: "operator",
    params,
    body: EditWebhookRequest,
    answer: Webhook,
    etag: webhookTag,
    handle: ({ by, params, body, ifMatch }) => webhooks.edit(by, params.webhookId, body, ifMatch),
  }),
  endpoint({
    route: "DELETE /v1/webhooks/:webhookId",
    id: "removeWebhook",
    summary: "Remove a webhook with the log of its deliveries; what still waits for it is never sent",
    callers: "operator",
    params,
    answer: Webhook,
    etag: webhookTag,
    handle: ({ by, params, ifMatch }) => webhooks.remove(by, params.webhookId, ifMatch),
  }),
  endpoint({
    route: "POST /v1/webhooks/:webhookId/test",
    id: "testWebhook",
    summary:
      "Send a message now, once, and answer what came of it; when it is taken, what waits is tried at once",
    callers: "operator",
    params,
    answer: Delivery,
    handle: ({ by, params }) => webhooks.test(by, params.webhookId),
  }),
  endpoint({
    route: "GET /v1/webhooks/:webhookId/deliveries",
    id: "listDeliveries",
    summary: "The messages to a webhook, newest first, and what became of them",
    callers: "operator",
    params,
    query: PageQuery,
    answer: DeliveryList,
    handle: async ({ params, query: { cursor, limit = PAGE_SIZE.usual } }) => {
      const before = numberOf(cursor);
      if (!before.ok) return before;
      const found = await webhooks.deliveries(params.webhookId, { before: before.value, limit: limit + 1 });
      if (!found.ok) return found;
      const deliveries = found.value.slice(0, limit);
      const last = found.value.length > deliveries.length ? deliveries.at(-1) : undefined;
      return ok({ deliveries, next: cursorOf(last?.id ?? null) });
    },
  }),
];
