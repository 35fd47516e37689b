/** What raises an alert, what does not, and what resolves it; on a clock with hands. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AlertKind } from "../../../protocol/alert.ts";
import { DEFAULTS } from "../../../protocol/defaults.ts";
import { ADMIN, code, House, must, three } from "./house.ts";
import type { TestAgent } from "./test-agent.ts";

let house: House;
beforeEach(async () => {
  house = await House.build();
  house.shelf.put("1.0.0");
  house.shelf.put("1.1.0");
});
afterEach(() => house[Symbol.asyncDispose]());

const open = async (kind?: AlertKind): Promise<string[]> =>
  (await house.baton.alerts.list({ state: "open", kind })).map((alert) => `${alert.kind} ${alert.subject}`);
const last = async (kind: AlertKind) => (await house.baton.alerts.list({ kind, limit: 1 }))[0];
const selection = { groups: ["db"] };

/** Three voters of a quorum group on 1.0.0, a rollout of 1.1.0, and who has the turn in flight. */
async function inFlight(): Promise<{ agents: TestAgent[]; holder: TestAgent; token: number; id: string }> {
  const agents = await house.group("db", "quorum", ["one", "two", "three"], "1.0.0");
  await house.beats(3, ...agents);
  const rollout = must(await house.baton.rollouts.start(ADMIN, { selection }));
  for (const agent of agents) {
    await agent.beat();
    await agent.prepare();
  }
  await house.beats(1, ...agents);
  const holder = agents.find((agent) => agent.orders?.turn != null);
  if (holder === undefined) throw new Error("nobody has a turn");
  return { agents, holder, token: await holder.goDown(), id: rollout.id };
}

test("a node that restarts under its lease is not said to be lost until it takes too long", async () => {
  const { agents, holder } = await inFlight();
  const others = agents.filter((agent) => agent !== holder);
  await house.beats(6, ...others);
  expect(must(await house.baton.nodes.get(holder.id)).presence).toBe("offline");
  expect(await open()).toEqual([]);
  house.clock.pass(2 * DEFAULTS.probationMs + DEFAULTS.inconclusiveAfterMs);
  await house.beats(8, ...others);
  expect(await open("node_offline")).toEqual([`node_offline ${holder.id}`]);
  expect(await open("lease_overdue")).toEqual(["lease_overdue db"]);
});

test("one that is away when its lease is broken is said to be lost then", async () => {
  const { agents, holder, token } = await inFlight();
  const others = agents.filter((agent) => agent !== holder);
  house.clock.pass(60_000);
  await house.beats(3, ...others);
  expect(await open("node_offline")).toEqual([]);
  must(await house.baton.leases.break(ADMIN, "db", { token, reason: "the machine burned" }));
  await house.beats(2, ...others);
  expect(await open("node_offline")).toEqual([`node_offline ${holder.id}`]);
  await holder.connect();
  await house.beats(1, holder, ...others);
  expect(await last("node_offline")).toMatchObject({ resolvedBy: "It was heard again." });
});

test("a build that keeps crashing is told of once, and resolved by a start that holds", async () => {
  const [one] = await house.group("web", "independent", ["one"], "1.0.0");
  if (one === undefined) throw new Error("no agent");
  const crash = async (crashes: number): Promise<void> => {
    const beat = { ...one.heartbeat, crashes };
    await house.baton.sessions.receive(one.id, [beat]);
    house.clock.pass(DEFAULTS.heartbeatMs);
    await house.baton.tick();
  };
  await crash(2);
  expect(await open()).toEqual([]);
  await crash(3);
  await crash(4);
  expect(await house.baton.alerts.list()).toMatchObject([
    {
      kind: "build_crashing",
      subject: one.id,
      message: "1.0.0 keeps crashing on one: 3 starts in a row ended badly.",
    },
  ]);
  await crash(0);
  expect(await last("build_crashing")).toMatchObject({ resolvedBy: "It runs without crashing." });
});

test("a failed update is over when the node runs that build after all", async () => {
  const { agents, holder, token } = await inFlight();
  const others = agents.filter((agent) => agent !== holder);
  const to = holder.orders?.desired?.build;
  if (to == null) throw new Error("nothing desired");
  house.clock.pass(60_000);
  must(await house.baton.leases.break(ADMIN, "db", { token, reason: "it takes so long" }));
  await house.beats(1, ...others);
  expect(await open("update_failed")).toEqual([`update_failed ${holder.id}`]);
  holder.journal = { kind: "idle" };
  await holder.start(to);
  holder.say("idle");
  await house.beats(3, holder, ...others);
  expect(await last("update_failed")).toMatchObject({ resolvedBy: "It runs 1.1.0 after all." });
});

test("a failed update is over when nobody wants it any more, and not before", async () => {
  const { agents, holder, token, id } = await inFlight();
  const [one, two, three_] = three(agents);
  const from = holder.runs;
  const to = holder.orders?.desired?.build;
  if (to == null) throw new Error("nothing desired");
  await holder.start(to);
  await holder.goBack(token, from);
  await house.beats(4, one, two, three_);
  expect(must(await house.baton.rollouts.get(id)).status).toBe("halted");
  expect(await open("update_failed")).toEqual([`update_failed ${holder.id}`]);
  expect(await open("fleet_update_halted")).toEqual([`fleet_update_halted ${id}`]);
  must(await house.baton.rollouts.cancel(ADMIN, id));
  house.clock.pass(5_000);
  await house.beats(2, one, two, three_);
  expect(await last("fleet_update_halted")).toMatchObject({ resolvedBy: "It is cancelled now." });
  const failed = await last("update_failed");
  expect(
    failed?.resolvedAt,
    "nothing is wanted of the group yet, so nobody knows whether it is right",
  ).toBeNull();
  await house.store.apply(
    [await house.store.group("db")].flatMap((group) =>
      group === null
        ? []
        : [
            {
              kind: "group",
              value: { ...group.value, wanted: { release: "1.0.0", at: house.clock.now() } },
              expected: group.revision,
            } as const,
          ],
    ),
  );
  house.clock.pass(5_000);
  await house.beats(2, one, two, three_);
  expect(await last("update_failed")).toMatchObject({
    resolvedBy: "It runs 1.0.0, and nothing else is wanted of it.",
  });
});

test("what is open of a node ends with its removal", async () => {
  const { agents, holder, token } = await inFlight();
  const others = agents.filter((agent) => agent !== holder);
  house.clock.pass(60_000);
  must(await house.baton.leases.break(ADMIN, "db", { token, reason: "the machine burned" }));
  await house.beats(6, ...others);
  expect(await open("update_failed")).toEqual([`update_failed ${holder.id}`]);
  expect(await open("node_offline")).toEqual([`node_offline ${holder.id}`]);
  must(await house.baton.nodes.remove(ADMIN, holder.id));
  for (const kind of ["update_failed", "node_offline"] as const) {
    expect(await last(kind)).toMatchObject({ resolvedBy: "The node was removed." });
  }
});

test("an alert is acknowledged once, by whoever is first, and resolves by itself all the same", async () => {
  const [one] = await house.group("web", "independent", ["one"], "1.0.0");
  if (one === undefined) throw new Error("no agent");
  await house.beats(1, one);
  house.clock.pass(60_000);
  await house.baton.tick();
  const [alert] = await house.baton.alerts.list({ state: "open" });
  const id = alert?.id ?? 0;
  const { alerts, audit } = house.baton;
  expect(must(await alerts.acknowledge(ADMIN, id, { note: "on it" }))).toMatchObject({
    acknowledgedBy: "operator ada",
    note: "on it",
    acknowledgedAt: house.clock.now(),
  });
  const bob = { ...ADMIN, name: "bob" } as typeof ADMIN;
  expect(must(await alerts.acknowledge(bob, id, {})).acknowledgedBy).toBe("operator ada");
  const said = (await audit.list(100, { action: "alert.acknowledged" })).map(({ actor, after }) => [
    actor,
    after,
  ]);
  expect(said).toEqual([["operator ada", { kind: "node_offline", about: one.id, note: "on it" }]]);
  expect(code(await alerts.acknowledge(ADMIN, id + 1, {}))).toBe("not-found");
  await one.connect();
  await house.baton.tick();
  expect(await open()).toEqual([]);
});

test("the coordinator watches its own disk and certificate", async () => {
  await house.crash();
  const gib = 2 ** 30;
  let freeBytes = 50 * gib;
  let expiresAt: number | null = house.clock.now() + 15 * 86_400_000;
  house.machine = {
    disk: () => Promise.resolve({ freeBytes, totalBytes: 100 * gib }),
    certificate: () => Promise.resolve(expiresAt),
  };
  await house.open();
  const aMinute = async (): Promise<void> => {
    house.clock.pass(60_000);
    await house.baton.tick();
  };
  await aMinute();
  expect(await open()).toEqual([]);
  freeBytes = 9 * gib;
  await aMinute();
  expect(await last("coordinator_disk_low")).toMatchObject({
    message: "The disk of the coordinator has only 9.0 GiB of 100.0 GiB left.",
  });
  freeBytes = 11 * gib;
  await aMinute();
  expect(await open(), "not yet enough").toEqual(["coordinator_disk_low coordinator"]);
  freeBytes = 13 * gib;
  await aMinute();
  expect(await last("coordinator_disk_low")).toMatchObject({
    resolvedBy: "It has 13.0 GiB of 100.0 GiB left.",
  });
  house.clock.pass(86_400_000);
  await aMinute();
  expect(await open()).toEqual(["certificate_expiring coordinator"]);
  expiresAt = house.clock.now() + 90 * 86_400_000;
  await aMinute();
  expect(await last("certificate_expiring")).toMatchObject({
    resolvedBy: "Another certificate is in its place.",
  });
});
