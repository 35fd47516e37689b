/** Jobs on one node: at an operator's word, at the node's own, and by themselves to catch up. */
import { expect, test } from "vitest";
import type { Principal } from "../../../server-stub/service/coordinator.ts";
import { IDLE_UPDATE } from "../../harness/idle-update.ts";
import { ADMIN, code, House, must, three } from "./house.ts";
import { buildOf } from "./shelf.ts";
import type { TestAgent } from "./test-agent.ts";

const start = (house: House, agent: TestAgent, kind: "update" | "rollback" = "update", retry = false) =>
  house.baton.nodes.start(ADMIN, agent.id, kind, { retry });
const quarantined = (version: string) => ({
  build: buildOf(version),
  reason: { code: "unhealthy", message: "It failed." },
  at: 1,
  provisional: false,
  by: "agent" as const,
});

test("an update of one node is refused with the reason, and started otherwise", async () => {
  await using house = await House.build();
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  expect(code(await start(house, a))).toBe("no-release");
  house.shelf.put("1.0.0");
  expect(code(await start(house, a))).toBe("already-up-to-date");
  expect(code(await start(house, a, "rollback"))).toBe("no-backup");
  house.shelf.put("1.1.0");
  a.holdings = { backup: buildOf("0.9.0"), hold: true, quarantine: [] };
  b.holdings = { backup: null, hold: false, quarantine: [quarantined("1.1.0")] };
  await house.beats(1, a, b, c);
  expect(code(await start(house, a))).toBe("held");
  expect(code(await start(house, b))).toBe("quarantined");
  expect(code(await house.baton.nodes.start(ADMIN, "n-nobody000000", "update", {}))).toBe("not-found");
  const job = must(await start(house, a, "update", true));
  expect(job).toMatchObject({
    kind: "update",
    cause: "operator",
    status: "queued",
    to: buildOf("1.1.0"),
    retry: true,
  });
  expect(code(await start(house, a))).toBe("update-in-progress");
  await house.beats(4, a, b);
  expect(code(await start(house, c))).toBe("node-offline");
});

test("one node is updated by lease like any other, and its leader is not special when it goes alone", async () => {
  await using house = await House.build();
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.1.0");
  a.health = { healthy: true, role: "leader" };
  b.health = { healthy: true, role: "follower" };
  await house.beats(1, a, b, c);
  const job = must(await start(house, a));
  await a.beat();
  await a.updateWell([b, c]);
  expect(must(await house.baton.jobs.get(job.id))).toMatchObject({
    status: "succeeded",
    step: "complete",
    percent: 100,
  });
});

test("progress is seen at once and stored by the step", async () => {
  await using house = await House.build();
  const [a] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.1.0");
  const job = must(await start(house, a));
  await a.beat();
  a.say("preparing", { step: "fetch", percent: 10, bytesPerSecond: 5 });
  await a.beat();
  const writes = house.countWrites();
  a.say("preparing", { step: "fetch", percent: 60, bytesPerSecond: 7 });
  await a.beat();
  expect(writes()).toBe(0);
  expect(must(await house.baton.jobs.get(job.id))).toMatchObject({
    status: "running",
    step: "fetch",
    percent: 60,
    bytesPerSecond: 7,
  });
  a.say("idle", { failed: true, reason: { code: "disk-full", message: "No space left." } });
  await a.beat();
  expect(must(await house.baton.jobs.get(job.id))).toMatchObject({
    status: "failed",
    reason: { code: "disk-full" },
  });
  expect((await house.baton.alerts.list())[0]).toMatchObject({
    kind: "update_failed",
    subject: a.id,
    resolvedAt: null,
  });
});

test("a rollback at an operator's word goes by lease to the backup, and the node is then left alone", async () => {
  await using house = await House.build();
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.1.0");
  must(await start(house, a));
  await a.beat();
  await a.updateWell([b, c]);
  const job = must(await start(house, a, "rollback"));
  await a.beat();
  expect(a.orders?.desired).toMatchObject({ kind: "rollback", release: null, build: buildOf("1.0.0") });
  await a.prepare();
  await a.goDown();
  await a.start(buildOf("1.0.0"));
  a.holdings = { ...a.holdings, hold: true };
  await house.beats(2, a, b, c);
  expect(await a.confirm()).toBe(true);
  expect(must(await house.baton.jobs.get(job.id)).status).toBe("succeeded");
  await house.beats(5, a, b, c);
  expect(a.orders?.desired).toBeNull();
});

test("a job that the node begins by itself is made as it reserves: its backup, or what it should be on", async () => {
  await using house = await House.build();
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  const reserve = (jobId: string, version: string) =>
    house.baton.leases.reserve(a.id, "db", { session: a.session, jobId, build: buildOf(version) });
  expect(code(await reserve("j-bbbbbbbbbbbb", "0.9.0"))).toBe("not-your-turn");
  a.holdings = { backup: buildOf("0.9.0"), hold: false, quarantine: [] };
  await house.beats(1, a, b, c);
  const { token } = must(await reserve("j-bbbbbbbbbbbb", "0.9.0"));
  expect(must(await house.baton.jobs.get("j-bbbbbbbbbbbb"))).toMatchObject({
    kind: "rollback",
    nodeId: a.id,
  });
  expect(must(await reserve("j-bbbbbbbbbbbb", "0.9.0")).token).toBe(token);
  expect(code(await reserve("j-cccccccccccc", "0.9.0"))).toBe("update-in-progress");
  const taken = { session: b.session, jobId: "j-bbbbbbbbbbbb", build: buildOf("0.9.0") };
  expect(code(await house.baton.leases.reserve(b.id, "db", taken))).toBe("not-your-turn");
  expect(code(await house.baton.leases.reserve(b.id, "web", taken))).toBe("not-found");
});

test("a node asks for its own update", async () => {
  await using house = await House.build();
  const [a] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.1.0");
  const self: Principal = {
    kind: "node",
    nodeId: a.id,
    group: "db",
    membership: "approved",
    from: "127.0.0.1",
  };
  expect(must(await house.baton.nodes.start(self, a.id, "update", {})).cause).toBe("update-now");
});

test("who joins late or drifted is brought where the group is; held, quarantined and failing ones are not chased", async () => {
  await using house = await House.build();
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.1.0"));
  house.shelf.put("1.1.0");
  must(await house.baton.rollouts.start(ADMIN, { selection: { groups: ["db"] } }));
  expect(must(await house.baton.groups.get("db")).desired).toBe("1.1.0");
  const late = await house.join("db", "late", "1.0.0");
  expect(late.orders?.desired).toMatchObject({ release: "1.1.0", cause: "catch-up" });
  expect(must(await house.baton.nodes.get(late.id))).toMatchObject({ behind: true, desired: "1.1.0" });
  late.say("idle", { failed: true, reason: { code: "fetch", message: "No answer." } });
  await late.beat();
  await house.beats(3, a, b, c, late);
  expect(late.orders?.desired).toBeNull();
  house.clock.pass(600_000);
  late.say("idle");
  await house.beats(3, a, b, c, late);
  expect(late.orders?.desired?.cause).toBe("catch-up");

  const held = await house.join("db", "held", "1.0.0");
  held.holdings = { backup: null, hold: true, quarantine: [] };
  await held.beat();
  await house.beats(1, held);
  expect(held.orders?.desired).toBeNull();
  expect(must(await house.baton.nodes.get(held.id)).reason?.code).toBe("held");
  held.holdings = { backup: null, hold: false, quarantine: [] };
  await held.beat();
  expect(held.orders?.desired?.cause).toBe("catch-up");
});

test("a development tree is never behind", async () => {
  await using house = await House.build();
  house.shelf.put("1.1.0");
  const [a] = three(await house.group("web", "independent", ["a", "b", "c"], "1.1.0"));
  must(await house.baton.rollouts.start(ADMIN, { selection: { groups: ["web"] } }));
  const developer = await house.join("web", "developer", "0.0.0-dev");
  await house.beats(3, a, developer);
  expect(developer.orders?.desired).toBeNull();
  expect(must(await house.baton.nodes.get(developer.id)).behind).toBe(false);
});

// Found by simulation, seed 172: it was asked to go back once more, to what it had run before that.
test("a rollback of a node that has gone back by itself is over, and takes it no further", async () => {
  await using house = await House.build();
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.1.0");
  must(await start(house, a));
  await a.beat();
  await a.updateWell([b, c]);
  const job = must(await start(house, a, "rollback"));
  await a.start(buildOf("1.0.0"));
  a.holdings = { ...a.holdings, backup: buildOf("0.9.0") };
  a.update = IDLE_UPDATE;
  await a.beat();
  expect(a.orders?.desired).toBeNull();
  expect(must(await house.baton.jobs.get(job.id))).toMatchObject({ status: "succeeded" });
});
