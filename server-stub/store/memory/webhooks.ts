import type { Stored } from "../records.ts";
import type { DeliveryDraft, DeliveryFilter, DeliveryRecord, WebhookChange } from "../webhooks.ts";
import type { MemoryState } from "./state.ts";

/** The ways in which maps are changed, each of which can be undone. */
type Write = {
  set<K, V>(map: Map<K, V>, key: K, value: V): void;
  remove<K, V>(map: Map<K, V>, key: K): void;
};

/** False: its expectation does not hold. */
export function changeWebhook(
  state: MemoryState,
  change: Exclude<WebhookChange, { kind: "notice" }>,
  write: Write,
): boolean {
  switch (change.kind) {
    case "webhook": {
      const { value, expected } = change;
      if ((state.webhooks.get(value.id)?.revision ?? 0) !== expected) return false;
      write.set(state.webhooks, value.id, { value, revision: expected + 1 });
      return true;
    }
    case "remove-webhook":
      if (state.webhooks.get(change.id)?.revision !== change.expected) return false;
      write.remove(state.webhooks, change.id);
      for (const { id, webhookId } of state.deliveries.values()) {
        if (webhookId === change.id) write.remove(state.deliveries, id);
      }
      return true;
    case "delivery": {
      const delivery = state.deliveries.get(change.id);
      if (delivery?.status !== "waiting" || delivery.attempts !== change.expected) return false;
      write.set(state.deliveries, change.id, { ...delivery, ...change.value });
      return true;
    }
    case "delivery-sent":
      add(state, change.value, write);
      return true;
    case "deliveries-due":
      for (const delivery of state.deliveries.values()) {
        if (delivery.webhookId !== change.webhookId || delivery.status !== "waiting") continue;
        write.set(state.deliveries, delivery.id, { ...delivery, nextTryAt: change.at });
      }
      return true;
  }
}

export function queueDelivery(state: MemoryState, draft: DeliveryDraft, write: Write): void {
  const untried = { attempts: 0, lastStatus: null, lastError: null, endedAt: null };
  add(state, { ...draft, status: "waiting", ...untried, nextTryAt: draft.at }, write);
}

function add(state: MemoryState, value: Omit<DeliveryRecord, "id">, write: Write): void {
  if (!state.webhooks.has(value.webhookId)) throw new Error(`there is no webhook ${value.webhookId}`);
  const id = Math.max(0, ...state.deliveries.keys()) + 1;
  write.set(state.deliveries, id, { ...value, id });
}

export const listWebhooks = (state: MemoryState) => [...state.webhooks.values()].sort(byId);

export const listDeliveries = (
  state: MemoryState,
  { webhookId, before = Number.POSITIVE_INFINITY, limit }: DeliveryFilter,
): readonly DeliveryRecord[] =>
  [...state.deliveries.values()]
    .filter((delivery) => delivery.webhookId === webhookId && delivery.id < before)
    .sort((a, b) => b.id - a.id)
    .slice(0, limit);

/** The first that waits for each enabled webhook, if its time has come. */
export function dueDeliveries(state: MemoryState, now: number): readonly DeliveryRecord[] {
  const first = new Map<string, DeliveryRecord>();
  for (const delivery of [...state.deliveries.values()].sort((a, b) => a.id - b.id)) {
    if (delivery.status !== "waiting" || first.has(delivery.webhookId)) continue;
    if (state.webhooks.get(delivery.webhookId)?.value.enabled === true)
      first.set(delivery.webhookId, delivery);
  }
  return [...first.values()].filter(({ nextTryAt }) => nextTryAt !== null && nextTryAt <= now);
}

const byId = (a: Stored<{ readonly id: string }>, b: Stored<{ readonly id: string }>): number =>
  a.value.id < b.value.id ? -1 : 1;
