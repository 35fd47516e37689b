/** Alerts, webhooks and the messages to them; of every engine. */
import { describe, expect, test } from "vitest";
import type { AlertKind } from "../../../protocol/alert.ts";
import type { Change } from "../../../server-stub/store/records.ts";
import type { Store } from "../../../server-stub/store/store.ts";
import type { WebhookRecord } from "../../../server-stub/store/webhooks.ts";
import { ENGINES, freshStore } from "./engines.ts";

const raise = (subject: string, at = 1, alert: AlertKind = "node_offline"): Change => ({
  kind: "raise",
  alert,
  subject,
  message: `${subject} is away.`,
  at,
});
const resolve = (subject: string, at = 2, alert: AlertKind = "node_offline"): Change => ({
  kind: "resolve",
  alert,
  subject,
  at,
  because: "It was heard again.",
});
const WEBHOOK: WebhookRecord = {
  id: "w-000000000001",
  url: "https://hooks.example/x",
  alerts: null,
  rollouts: [],
  enabled: true,
  secret: "s",
  createdAt: 1,
  createdBy: "operator ada",
};
const webhook = (more: Partial<WebhookRecord>, expected = 0): Change => ({
  kind: "webhook",
  value: { ...WEBHOOK, ...more },
  expected,
});
const TRIED = {
  status: "waiting",
  attempts: 1,
  lastStatus: 500,
  lastError: "It answered 500.",
  nextTryAt: 50,
  endedAt: null,
} as const;
const DELIVERED = { ...TRIED, status: "delivered", lastStatus: 204, nextTryAt: null, endedAt: 9 } as const;

const queued = async (store: Store, webhookId = WEBHOOK.id): Promise<string[]> =>
  (await store.deliveries({ webhookId, limit: 100 })).map(({ event, subject }) => `${event} ${subject}`);

describe.each(ENGINES)("alerts of the %s store", (engine) => {
  test("say what resolved them, and who has taken them on: whoever was first", async () => {
    await using at = await freshStore(engine);
    const { store } = at;
    await store.apply([raise("a")]);
    const [open] = await store.openAlerts("node_offline");
    const id = open?.id ?? 0;
    expect(open).toMatchObject({ resolvedBy: null, acknowledgedAt: null, acknowledgedBy: null, note: null });
    const acknowledge = { kind: "acknowledge", id, by: "operator ada", note: "on it", at: 5 } as const;
    await store.apply([acknowledge]);
    const last = await store.lastEventId();
    await store.apply([{ ...acknowledge, by: "operator bob", note: null, at: 6 }]);
    expect(await store.lastEventId(), "nothing is new").toBe(last);
    await store.apply([resolve("a", 7)]);
    expect(await store.alert(id)).toEqual({
      id,
      kind: "node_offline",
      subject: "a",
      message: "a is away.",
      raisedAt: 1,
      resolvedAt: 7,
      resolvedBy: "It was heard again.",
      acknowledgedAt: 5,
      acknowledgedBy: "operator ada",
      note: "on it",
    });
    expect(await store.alert(id + 1)).toBeNull();
    await store.apply([raise("a", 8)]);
    expect(await store.openAlerts()).toMatchObject([{ raisedAt: 8, acknowledgedAt: null }]);
  });

  test("are read in pages, newest first, the open ones, or those of a kind", async () => {
    await using at = await freshStore(engine);
    const { store } = at;
    await store.apply([raise("a"), raise("b"), raise("c", 1, "update_failed"), raise("d"), resolve("b")]);
    const subjects = async (filter: Partial<Parameters<Store["alerts"]>[0]>) =>
      (await store.alerts({ state: "all", limit: 10, ...filter })).map(({ subject }) => subject);
    expect(await subjects({})).toEqual(["d", "c", "b", "a"]);
    expect(await subjects({ limit: 2 })).toEqual(["d", "c"]);
    const [, second] = await store.alerts({ state: "all", limit: 2 });
    expect(await subjects({ before: second?.id ?? 0 })).toEqual(["b", "a"]);
    expect(await subjects({ state: "open" })).toEqual(["d", "c", "a"]);
    expect(await subjects({ state: "open", kind: "update_failed" })).toEqual(["c"]);
    expect((await store.openAlerts()).map(({ subject }) => subject)).toEqual(["a", "c", "d"]);
  });
});

describe.each(ENGINES)("messages to webhooks of the %s store", (engine) => {
  test("are written with what they tell of, once for each that wants them", async () => {
    await using at = await freshStore(engine);
    const { store } = at;
    const picky = {
      id: "w-000000000002",
      alerts: ["update_failed" as const],
      rollouts: ["rollout.halted" as const],
    };
    const off = { id: "w-000000000003", enabled: false };
    await store.apply([webhook({}), webhook(picky), webhook(off)]);
    await store.apply([raise("a"), raise("a"), raise("b", 1, "update_failed")]);
    await store.apply([resolve("a"), resolve("a")]);
    const rollout = { id: "r-000000000001", release: "1.0.0", status: "halted", reason: null } as const;
    await store.apply([
      { kind: "notice", event: "rollout.halted", rollout, at: 3 },
      { kind: "notice", event: "rollout.completed", rollout, at: 3 },
      raise(WEBHOOK.id, 4, "webhook_failing"),
    ]);
    const [failing, b, a] = await store.alerts({ state: "all", limit: 3 });
    expect(await queued(store)).toEqual([
      `alert.resolved ${a?.id}`,
      `alert.raised ${b?.id}`,
      `alert.raised ${a?.id}`,
    ]);
    expect(await queued(store, picky.id)).toEqual([`rollout.halted ${rollout.id}`, `alert.raised ${b?.id}`]);
    expect(await queued(store, off.id)).toEqual([]);
    expect(failing?.kind).toBe("webhook_failing");
    const [message] = await store.deliveries({ webhookId: picky.id, limit: 1 });
    expect(message).toMatchObject({
      alert: null,
      rollout,
      at: 3,
      status: "waiting",
      attempts: 0,
      nextTryAt: 3,
    });
  });

  test("are undone with a batch that conflicts", async () => {
    await using at = await freshStore(engine);
    const { store } = at;
    await store.apply([webhook({})]);
    await store.apply([raise("a"), webhook({}, 7)]);
    expect(await queued(store)).toEqual([]);
    expect(await store.openAlerts()).toEqual([]);
  });

  test("come one after the other: only the first that waits for an enabled webhook is ever due", async () => {
    await using at = await freshStore(engine);
    const { store } = at;
    const other = "w-000000000002";
    await store.apply([webhook({}), webhook({ id: other }), raise("a", 10), raise("b", 10)]);
    const due = async (now: number) =>
      (await store.dueDeliveries(now)).map((each) => [each.webhookId, each.id]);
    expect(await due(9)).toEqual([]);
    const [first, second] = await store.dueDeliveries(10);
    if (first === undefined || second === undefined) throw new Error("two are due");
    expect([first.webhookId, second.webhookId].sort()).toEqual([WEBHOOK.id, other]);
    const tried = { kind: "delivery", id: first.id, value: TRIED, expected: 0 } as const;
    expect(await store.apply([tried])).toEqual({ ok: true });
    expect(await store.apply([tried]), "it was tried meanwhile").toEqual({ ok: false, conflict: "delivery" });
    expect(await due(49)).toEqual([[second.webhookId, second.id]]);
    expect(await due(50)).toHaveLength(2);
    await store.apply([{ ...tried, value: DELIVERED, expected: 1 }]);
    const next = (await store.dueDeliveries(50)).find((each) => each.webhookId === first.webhookId);
    expect(next?.id).toBeGreaterThan(first.id);
    expect(await store.apply([{ ...tried, expected: 1 }]), "it has ended").toMatchObject({ ok: false });
    await store.apply([
      { ...tried, id: second.id },
      { kind: "deliveries-due", webhookId: other, at: 11 },
    ]);
    expect((await due(11)).map(([id]) => id)).toContain(other);
    await store.apply([webhook({ id: other, enabled: false }, 1)]);
    expect((await due(100)).map(([id]) => id)).toEqual([WEBHOOK.id]);
  });

  test("go with their webhook, or when they are over for long enough", async () => {
    await using at = await freshStore(engine);
    const { store } = at;
    await store.apply([webhook({}), raise("a"), raise("b")]);
    const [first] = await store.dueDeliveries(10);
    await store.apply([{ kind: "delivery", id: first?.id ?? 0, value: DELIVERED, expected: 0 }]);
    expect(await store.prune("deliveries", 9, 10)).toBe(0);
    expect(await store.prune("deliveries", 10, 10)).toBe(1);
    expect(await queued(store)).toHaveLength(1);
    const remove = { kind: "remove-webhook", id: WEBHOOK.id, expected: 1 } as const;
    expect(await store.apply([{ ...remove, expected: 2 }])).toMatchObject({ ok: false });
    expect(await store.apply([remove])).toEqual({ ok: true });
    expect(await queued(store)).toEqual([]);
    expect(await store.webhook(WEBHOOK.id)).toBeNull();
    expect(await store.dueDeliveries(1000)).toEqual([]);
  });

  test("that were sent outside of the queue are in the log all the same", async () => {
    await using at = await freshStore(engine);
    const { store } = at;
    await store.apply([webhook({})]);
    expect(await store.webhooks()).toEqual([{ value: WEBHOOK, revision: 1 }]);
    const about = { webhookId: WEBHOOK.id, event: "webhook.test", subject: WEBHOOK.id, at: 3 } as const;
    const value = { ...about, alert: null, rollout: null, ...DELIVERED };
    await store.apply([{ kind: "delivery-sent", value }]);
    expect(await store.deliveries({ webhookId: WEBHOOK.id, limit: 10 })).toMatchObject([value]);
    expect(await store.dueDeliveries(100)).toEqual([]);
  });
});
