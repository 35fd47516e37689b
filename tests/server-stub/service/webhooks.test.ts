/** Messages to real receivers, from a real store, on a clock with hands. */
import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { Value } from "../../../protocol/schema.ts";
import { WEBHOOK_HEADERS, type Webhook, WebhookMessage } from "../../../protocol/webhook.ts";
import type { Change } from "../../../server-stub/store/records.ts";
import { Receiver } from "../harness/receiver.ts";
import { ADMIN, code, House, must } from "./house.ts";

const raise = (subject: string): Change => ({
  kind: "raise",
  alert: "rollout_not_started",
  subject,
  message: `${subject} is away.`,
  at: 1_800_000_000_000,
});

async function hook(
  house: House,
  { url }: Receiver,
  more: object = {},
): Promise<Webhook & { secret: string }> {
  const { webhook, secret } = must(await house.baton.webhooks.create(ADMIN, { url, ...more }));
  return { ...webhook, secret };
}
const log = async (house: House, { id }: Webhook) =>
  must(await house.baton.webhooks.deliveries(id, { before: undefined, limit: 100 })).toReversed();
/** Waits until each of them has been tried so many times. */
const tried = (house: House, webhook: Webhook, ...attempts: number[]) =>
  expect.poll(async () => (await log(house, webhook)).map((each) => each.attempts)).toEqual(attempts);
/** Lets the time come for what waits. */
async function later(house: House, ms: number): Promise<void> {
  house.clock.pass(ms);
  await house.baton.tick();
}

test("what happens is told once it is stored, signed, to whoever wants to know", async () => {
  await using house = await House.build();
  await using receiver = await Receiver.listen();
  const webhook = await hook(house, receiver);
  await house.store.apply([raise("n-1")]);
  const coming = receiver.next();
  await house.baton.tick();
  const { headers, body, message } = await coming;
  const [alert] = await house.baton.alerts.list();
  expect(Value.Check(WebhookMessage, message)).toBe(true);
  expect(message).toMatchObject({ webhook: webhook.id, event: "alert.raised", alert, rollout: null });
  expect(headers[WEBHOOK_HEADERS.id]).toBe(message.id);
  const timestamp = headers[WEBHOOK_HEADERS.timestamp];
  expect(timestamp).toBe(String(Math.floor(house.clock.now() / 1000)));
  const mac = createHmac("sha256", webhook.secret)
    .update(`${String(timestamp)}.${body}`)
    .digest("hex");
  expect(headers[WEBHOOK_HEADERS.signature]).toBe(`v1=${mac}`);
  await tried(house, webhook, 1);
  expect(await log(house, webhook)).toMatchObject([
    { status: "delivered", lastStatus: 204, lastError: null, nextTryAt: null },
  ]);
  const { kind, subject } = alert ?? { kind: "rollout_not_started", subject: "" };
  await house.store.apply([
    { kind: "resolve", alert: kind, subject, at: house.clock.now(), because: "Heard again." },
  ]);
  const resolved = receiver.next();
  await later(house, 1_000);
  expect((await resolved).message).toMatchObject({
    event: "alert.resolved",
    alert: { resolvedBy: "Heard again." },
  });
});

test("one after the other: what comes later waits for what is not taken, and repeats carry the same id", async () => {
  await using house = await House.build();
  await using receiver = await Receiver.listen();
  const webhook = await hook(house, receiver);
  receiver.answer = (response) => response.writeHead(503, { "retry-after": "60" }).end("come back\nlater");
  await house.store.apply([raise("a"), raise("b")]);
  await house.baton.tick();
  await tried(house, webhook, 1, 0);
  expect((await log(house, webhook))[0]).toMatchObject({
    status: "waiting",
    lastStatus: 503,
    lastError: "It answered 503: come back later.",
    nextTryAt: house.clock.now() + 60_000,
  });
  await later(house, 59_000);
  receiver.answer = (response) => response.writeHead(200).end("x".repeat(5_000));
  await later(house, 1_000);
  await tried(house, webhook, 2, 1);
  const said = receiver.received.map(({ message }) => [message.alert?.subject, message.id] as const);
  expect(said.map(([subject]) => subject)).toEqual(["a", "a", "b"]);
  expect(said[0]?.[1]).toBe(said[1]?.[1]);
  expect(said[1]?.[1]).not.toBe(said[2]?.[1]);
});

test("nothing is lost with the coordinator: neither what was not sent, nor what was sent and not noted", async () => {
  await using house = await House.build();
  await using receiver = await Receiver.listen();
  const webhook = await hook(house, receiver);
  await house.store.apply([raise("a")]);
  await house.restart();
  receiver.answer = () => undefined;
  const first = receiver.next();
  await house.baton.tick();
  await first;
  await house.restart();
  expect(await log(house, webhook), "it is not a failure of the receiver").toMatchObject([{ attempts: 0 }]);
  receiver.answer = (response) => response.writeHead(204).end();
  await house.baton.tick();
  await tried(house, webhook, 1);
  const ids = receiver.received.map(({ message }) => message.id);
  expect(ids).toHaveLength(2);
  expect(new Set(ids).size).toBe(1);
});

test("one that hangs holds up nobody, and has failed after its time", async () => {
  await using house = await House.build();
  await using hanging = await Receiver.listen();
  await using quick = await Receiver.listen();
  hanging.answer = () => undefined;
  const hangs = [await hook(house, hanging), await hook(house, hanging), await hook(house, hanging)];
  const well = await hook(house, quick);
  await house.store.apply([raise("a"), raise("b")]);
  await house.baton.tick();
  await tried(house, well, 1, 1);
  expect(await log(house, hangs[0] as Webhook)).toMatchObject([{ attempts: 0 }, { attempts: 0 }]);
  for (const each of hangs) await tried(house, each, 1, 0);
  expect((await log(house, hangs[0] as Webhook))[0]).toMatchObject({
    lastStatus: null,
    lastError: "No answer came within 0.5 s.",
  });
});

test("a redirect is a failure, and where it leads is never asked; so is a connection that breaks", async () => {
  await using house = await House.build();
  await using receiver = await Receiver.listen();
  await using elsewhere = await Receiver.listen();
  const webhook = await hook(house, receiver);
  receiver.answer = (response) => response.writeHead(302, { location: elsewhere.url }).end();
  await house.store.apply([raise("a")]);
  await house.baton.tick();
  await tried(house, webhook, 1);
  expect((await log(house, webhook))[0]?.lastError).toBe(
    "It answered 302, and redirects are not followed: give the address that it leads to.",
  );
  receiver.answer = (response) => response.socket?.destroy();
  await later(house, 11_000);
  await tried(house, webhook, 2);
  expect((await log(house, webhook))[0]).toMatchObject({ lastStatus: null, lastError: "other side closed." });
  expect(elsewhere.received).toEqual([]);
});

test("after three failures an alert tells the others, until a message is taken again", async () => {
  await using house = await House.build();
  await using receiver = await Receiver.listen();
  await using other = await Receiver.listen();
  const webhook = await hook(house, receiver, { alerts: ["rollout_not_started", "webhook_failing"] });
  const friend = await hook(house, other, { alerts: ["webhook_failing"] });
  receiver.answer = (response) => response.writeHead(500).end();
  await house.store.apply([raise("a")]);
  await house.baton.tick();
  await tried(house, webhook, 1);
  await later(house, 11_000);
  await tried(house, webhook, 2);
  expect(await house.store.openAlerts("webhook_failing")).toEqual([]);
  await later(house, 33_000);
  await tried(house, webhook, 3);
  const { host } = new URL(receiver.url);
  expect(await house.store.openAlerts("webhook_failing")).toMatchObject([
    { subject: webhook.id, message: `Messages to ${host} are not taken: it answered 500.` },
  ]);
  await later(house, 1_000);
  await tried(house, friend, 1);
  receiver.answer = (response) => response.writeHead(204).end();
  await later(house, 100_000);
  await tried(house, webhook, 4);
  const [alert] = await house.baton.alerts.list({ kind: "webhook_failing" });
  expect(alert).toMatchObject({ resolvedBy: "A message was taken again." });
  expect(other.received[0]?.message.alert).toMatchObject({ kind: "webhook_failing", resolvedAt: null });
});

test("a message is given up after ten tries, and the next one is tried then", async () => {
  await using house = await House.build();
  await using receiver = await Receiver.listen();
  const webhook = await hook(house, receiver);
  receiver.answer = (response) => response.writeHead(400).end();
  await house.store.apply([raise("a")]);
  for (let attempts = 1; attempts <= 10; attempts += 1) {
    await house.baton.tick();
    await tried(house, webhook, attempts);
    house.clock.pass(((await log(house, webhook))[0]?.nextTryAt ?? house.clock.now()) - house.clock.now());
  }
  expect(await log(house, webhook)).toMatchObject([{ status: "failed", attempts: 10, nextTryAt: null }]);
  await later(house, 86_400_000);
  expect(receiver.received).toHaveLength(10);
});

test("who is disabled is told nothing; what waits goes out when it is enabled, and at once after a good test", async () => {
  await using house = await House.build();
  await using receiver = await Receiver.listen();
  const webhook = await hook(house, receiver);
  const { webhooks } = house.baton;
  receiver.answer = (response) => response.writeHead(500).end();
  await house.store.apply([raise("a")]);
  await house.baton.tick();
  await tried(house, webhook, 1);
  must(await webhooks.edit(ADMIN, webhook.id, { enabled: false }));
  await house.store.apply([raise("b")]);
  await later(house, 60_000);
  await tried(house, webhook, 1);
  must(await webhooks.edit(ADMIN, webhook.id, { enabled: true }));
  expect(must(await webhooks.test(ADMIN, webhook.id))).toMatchObject({
    event: "webhook.test",
    status: "failed",
    lastStatus: 500,
  });
  await later(house, 1_000);
  await tried(house, webhook, 2, 1);
  receiver.answer = (response) => response.writeHead(204).end();
  expect(must(await webhooks.test(ADMIN, webhook.id))).toMatchObject({ status: "delivered", attempts: 1 });
  await later(house, 1_000);
  await tried(house, webhook, 3, 1, 1);
  expect(receiver.received.at(-2)?.message).toMatchObject({
    event: "webhook.test",
    alert: null,
    rollout: null,
  });
});

test("a name that leads to an address which is not public is not spoken to, whatever else it leads to", async () => {
  await using house = await House.build();
  await house.crash();
  const asked: string[] = [];
  house.webhooks = {
    allowPrivate: false,
    timeoutMs: 500,
    lookup: (hostname, _options, callback) => {
      asked.push(hostname);
      callback(null, [
        { address: "93.184.215.14", family: 4 },
        { address: "::ffff:10.0.0.7", family: 6 },
      ]);
    },
  };
  await house.open();
  const { webhook } = must(await house.baton.webhooks.create(ADMIN, { url: "https://hooks.example/x" }));
  expect(must(await house.baton.webhooks.test(ADMIN, webhook.id))).toMatchObject({
    status: "failed",
    lastError: "hooks.example leads to ::ffff:10.0.0.7, which is private, and webhooks may not go there.",
  });
  expect(asked).toEqual(["hooks.example"]);
  for (const url of ["https://10.0.0.7/", "https://[::ffff:a00:7]/", "http://hooks.example/"]) {
    expect(code(await house.baton.webhooks.create(ADMIN, { url }))).toBe("webhook-refused");
    expect(code(await house.baton.webhooks.edit(ADMIN, webhook.id, { url }))).toBe("webhook-refused");
  }
});

test("what becomes of a rollout is told to who asked for just that", async () => {
  await using house = await House.build();
  await using receiver = await Receiver.listen();
  house.shelf.put("1.0.0");
  house.shelf.put("1.1.0");
  const [one] = await house.group("web", "independent", ["one"], "1.0.0");
  if (one === undefined) throw new Error("no agent");
  await house.beats(1, one);
  const rollouts = ["rollout.started" as const, "rollout.cancelled" as const];
  const webhook = await hook(house, receiver, { alerts: [], rollouts });
  const rollout = must(await house.baton.rollouts.start(ADMIN, { selection: { groups: ["web"] } }));
  must(await house.baton.rollouts.pause(ADMIN, rollout.id));
  must(await house.baton.rollouts.cancel(ADMIN, rollout.id));
  await later(house, 1_000);
  await tried(house, webhook, 1, 1);
  expect(receiver.received.map(({ message }) => [message.event, message.rollout])).toEqual([
    [
      "rollout.started",
      { id: rollout.id, release: "1.1.0", status: expect.any(String), reason: "It has just begun." },
    ],
    ["rollout.cancelled", expect.objectContaining({ id: rollout.id, status: "cancelled" })],
  ]);
});
