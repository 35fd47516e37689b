import type { DurationMs } from "../../../protocol/time.ts";
import type { WebhookId } from "../../../protocol/webhook.ts";
import type { DeliveryRecord } from "../../store/webhooks.ts";
import type { Context } from "../context.ts";
import { alertOf, resultOf, send } from "./deliver.ts";
import type { Post } from "./post.ts";

/** Receivers that are spoken to at once; one that hangs takes one place, until its time limit. */
const AT_ONCE = 4;
const LOOK_EVERY_MS: DurationMs = 1_000;

/**
 * Delivers the messages that are stored, in the order of their ids for each webhook, one at a time for each, apart
 * from everything else that the coordinator does. It keeps nothing: what was sent and not noted when it ended is sent
 * again.
 */
export type DeliveryWorker = {
  /** Looks for what is due. Does not wait for it. */
  tick(): void;
  /** When nothing is under way. */
  idle(): Promise<void>;
  /** Breaks off what is under way. */
  close(): Promise<void>;
};

export function createDeliveryWorker(ctx: Context, post: Post): DeliveryWorker {
  const underWay = new Map<WebhookId, Promise<void>>();
  /** Who was served last comes last. */
  const served = new Map<WebhookId, number>();
  const ending = new AbortController();
  let turns = 0;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | null = null;

  const failed = (err: unknown): void =>
    ctx.log.error({ err }, "a message to a webhook could not be taken care of; it is tried again");
  const look = (): Promise<void> => {
    looking ??= fill()
      .catch(failed)
      .finally(() => {
        looking = null;
      });
    return looking;
  };
  const fill = async (): Promise<void> => {
    lookedAt = ctx.now();
    const due = await ctx.store.dueDeliveries(ctx.wall());
    const turn = ({ webhookId }: DeliveryRecord): number => served.get(webhookId) ?? 0;
    for (const delivery of due.toSorted((a, b) => turn(a) - turn(b))) {
      if (ending.signal.aborted || underWay.size >= AT_ONCE) return;
      if (!underWay.has(delivery.webhookId)) start(delivery);
    }
  };
  const start = (delivery: DeliveryRecord): void => {
    const { webhookId } = delivery;
    turns += 1;
    served.set(webhookId, turns);
    const work = deliver(delivery).then(
      () => true,
      (error: unknown) => {
        failed(error);
        return false;
      },
    );
    underWay.set(
      webhookId,
      work.then(async (done) => {
        underWay.delete(webhookId);
        // After a fault of the store the next tick is soon enough.
        if (done && !ending.signal.aborted) await look();
      }),
    );
  };
  const deliver = async (delivery: DeliveryRecord): Promise<void> => {
    const webhook = (await ctx.store.webhook(delivery.webhookId))?.value;
    if (webhook?.enabled !== true) return;
    const posted = await send(ctx, post, webhook, delivery, ending.signal);
    if (ending.signal.aborted && posted.error !== null) return;
    const result = resultOf(ctx, delivery, posted);
    const { id, event, attempts } = delivery;
    ctx.log.info(
      { webhook: webhook.id, delivery: id, event, status: result.status, error: result.lastError },
      "message to a webhook tried",
    );
    const change = { kind: "delivery", id, value: result, expected: attempts } as const;
    await ctx.store.apply([change, ...alertOf(ctx, webhook, result)]);
  };

  return {
    tick: () => {
      if (!ending.signal.aborted && ctx.now() - lookedAt >= LOOK_EVERY_MS) void look();
    },
    idle: async () => {
      while (looking !== null || underWay.size > 0) await Promise.all([looking, ...underWay.values()]);
    },
    close: async () => {
      ending.abort();
      await Promise.all([looking, ...underWay.values()]);
      await post.close();
    },
  };
}
