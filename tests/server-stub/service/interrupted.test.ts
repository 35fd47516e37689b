/** What is cut off in the middle: cancelled while a node only holds a reservation, restarted, revoked, moved. */
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { ADMIN, code, House, must, three } from "./house.ts";
import type { TestAgent } from "./test-agent.ts";

type Three = [TestAgent, TestAgent, TestAgent];

/** Three voters in a rollout to 1.1.0, all prepared; the first has its turn. */
async function prepared(house: House): Promise<{ agents: Three; rolloutId: string; jobId: string }> {
  const agents = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.1.0");
  const { id } = must(await house.baton.rollouts.start(ADMIN, { selection: { groups: ["db"] } }));
  await house.beats(1, ...agents);
  for (const agent of agents) await agent.prepare();
  await house.beats(1, ...agents);
  return { agents, rolloutId: id, jobId: agents[0].orders?.desired?.jobId ?? "" };
}

const cancelReservation = (house: House, agent: TestAgent, token: number) =>
  house.baton.leases.cancel(agent.id, agent.group, { session: agent.session, token });

test("a cancelled rollout gives a node whose reservation came back no further turn", async () => {
  await using house = await House.build();
  const { agents, rolloutId, jobId } = await prepared(house);
  const [a, b, c] = agents;
  const { token } = must(await a.reserve());
  must(await house.baton.rollouts.cancel(ADMIN, rolloutId));
  must(await cancelReservation(house, a, token));
  await house.beats(1, a, b, c);
  expect(must(await house.baton.jobs.get(jobId)).status).toBe("cancelled");
  const rollout = must(await house.baton.rollouts.get(rolloutId));
  expect(rollout.nodes.map((node) => node.status)).toEqual(["skipped", "skipped", "skipped"]);
  expect(rollout.endedAt).not.toBeNull();
  expect([a.orders?.desired, a.orders?.turn]).toEqual([null, null]);
  expect(code(await a.commit(token))).toBe("stale-token");
});

test("nor one that gave its lease back before it flipped anything", async () => {
  await using house = await House.build();
  const { agents, rolloutId, jobId } = await prepared(house);
  const [a, b, c] = agents;
  const token = await a.goDown();
  must(await house.baton.rollouts.cancel(ADMIN, rolloutId));
  a.journal = { kind: "idle" };
  a.words = [{ token, jobId, word: "not-acted", reason: null }];
  await a.beat();
  await house.beats(1, a, b, c);
  expect(must(await house.baton.jobs.get(jobId)).status).toBe("cancelled");
  expect([a.orders?.desired, a.orders?.turn]).toEqual([null, null]);
  expect(must(await house.baton.rollouts.get(rolloutId)).nodes[0]?.status).toBe("skipped");
});

test("an agent that starts anew while it holds a reservation has failed nothing: it waits for its turn again", async () => {
  await using house = await House.build();
  const { agents, rolloutId, jobId } = await prepared(house);
  const [a, b, c] = agents;
  must(await a.reserve());
  a.instanceId = randomUUID();
  a.say("preparing");
  await a.connect();
  expect(must(await house.baton.leases.view("db")).holder).toBeNull();
  expect(must(await house.baton.jobs.get(jobId)).status).not.toBe("failed");
  await a.prepare();
  await house.beats(1, a, b, c);
  expect(must(await house.baton.rollouts.get(rolloutId)).status).toBe("running");
  await b.updateWell([a, c]);
  await house.beats(1, a, b, c);
  must(await a.reserve());
});

test("who is revoked has no job any more, and nobody is told that it is offline", async () => {
  await using house = await House.build();
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.1.0");
  const job = must(await house.baton.nodes.start(ADMIN, a.id, "update", {}));
  await house.beats(5, b, c);
  const offline = async () =>
    (await house.baton.alerts.list()).filter(
      (each) => each.kind === "node_offline" && each.resolvedAt === null,
    );
  expect((await offline()).map((each) => each.subject)).toEqual([a.id]);
  must(await house.baton.nodes.revoke(ADMIN, a.id));
  await house.beats(5, b, c);
  expect(await offline()).toEqual([]);
  expect(must(await house.baton.jobs.get(job.id))).toMatchObject({
    status: "cancelled",
    reason: { code: "node-revoked" },
  });
});

test("a revoked node cannot open a session, by whatever way it was let in before", async () => {
  await using house = await House.build();
  const [a] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  must(await house.baton.nodes.revoke(ADMIN, a.id));
  const [answer] = await house.baton.sessions.receive(a.id, [a.hello]);
  expect(answer).toMatchObject({ type: "refused", code: "unknown-session" });
  expect(must(await house.baton.leases.view("db"))).toMatchObject({ voters: 3, serving: 2 });
});

test("a node is never given a token twice, also not by the group that it moves to", async () => {
  await using house = await House.build();
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  must(await house.baton.groups.create(ADMIN, { name: "web" }));
  house.shelf.put("1.1.0");
  must(await house.baton.nodes.start(ADMIN, a.id, "update", {}));
  await house.beats(1, a, b, c);
  const jobId = a.orders?.desired?.jobId ?? "";
  await a.prepare();
  const token = await a.goDown();
  a.journal = { kind: "idle" };
  a.words = [{ token, jobId, word: "rolled-back", reason: null }];
  a.say("idle", { jobId: null });
  await a.beat();
  must(await house.baton.nodes.edit(ADMIN, a.id, { group: "web" }));
  await a.connect();
  const again = must(await house.baton.nodes.start(ADMIN, a.id, "update", { retry: true }));
  await a.beat();
  const request = { session: a.session, jobId: again.id, build: a.orders?.desired?.build ?? a.runs };
  expect(must(await house.baton.leases.reserve(a.id, "web", request)).token).toBeGreaterThan(token);
});

test("a node that is moved is asked to say hello again, so that it learns its group, and is not called offline", async () => {
  await using house = await House.build();
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  must(await house.baton.groups.create(ADMIN, { name: "web" }));
  must(await house.baton.nodes.edit(ADMIN, a.id, { group: "web", labels: { rack: "1" } }));
  await house.baton.tick();
  expect(must(await house.baton.nodes.get(a.id))).toMatchObject({ group: "web", presence: "online" });
  expect(await a.beat()).toMatchObject([{ type: "refused", code: "unknown-session" }]);
  await a.connect();
  must(await house.baton.nodes.edit(ADMIN, a.id, { group: "web", labels: { rack: "2" } }));
  expect((await a.beat()).map((frame) => frame.type)).toEqual(["orders"]);
  await house.beats(1, a, b, c);
  expect(await house.baton.alerts.list()).toEqual([]);
});

test("a job is opened for the node as it is, also when it is moved or revoked at the very moment", async () => {
  await using house = await House.build();
  const [a, b] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  must(await house.baton.groups.create(ADMIN, { name: "web" }));
  house.shelf.put("1.1.0");
  const meanwhile = (act: () => Promise<unknown>) => {
    const { store } = house;
    const activeJob = store.activeJob.bind(store);
    store.activeJob = async (id) => {
      store.activeJob = activeJob;
      const found = await activeJob(id);
      await act();
      return found;
    };
  };
  meanwhile(() => house.baton.nodes.edit(ADMIN, a.id, { group: "web" }));
  const job = must(await house.baton.nodes.start(ADMIN, a.id, "update", {}));
  expect((await house.store.job(job.id))?.value.group).toBe("web");
  meanwhile(() => house.baton.nodes.revoke(ADMIN, b.id));
  expect(code(await house.baton.nodes.start(ADMIN, b.id, "update", {}))).toBe("node-offline");
  expect(await house.store.activeJob(b.id)).toBeNull();
});

test("an overdue lease of one independent node is over when it is back, whoever else is at work", async () => {
  await using house = await House.build();
  const [a, b] = three(await house.group("web", "independent", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.1.0");
  for (const agent of [a, b]) must(await house.baton.nodes.start(ADMIN, agent.id, "update", {}));
  await house.beats(1, a, b);
  for (const agent of [a, b]) await agent.prepare();
  const jobId = a.orders?.desired?.jobId ?? "";
  const token = await a.goDown();
  const overdue = async () =>
    (await house.baton.alerts.list()).filter(
      (each) => each.kind === "lease_overdue" && each.resolvedAt === null,
    );
  await house.beats(60, b);
  expect(await overdue()).toHaveLength(1);
  await b.goDown();
  a.journal = { kind: "idle" };
  a.words = [{ token, jobId, word: "rolled-back", reason: null }];
  await a.connect();
  await house.beats(1, a, b);
  expect(await overdue()).toEqual([]);
});

test("a crowd that asks at the same moment is served, every one of it", async () => {
  await using house = await House.build();
  const names = Array.from({ length: 120 }, (_, index) => `n${index}`);
  const agents = await house.group("web", "independent", names, "1.0.0");
  house.shelf.put("1.1.0");
  for (const agent of agents) {
    must(await house.baton.nodes.start(ADMIN, agent.id, "update", {}));
    await agent.beat();
    await agent.prepare();
  }
  const answers = await Promise.all(agents.map((agent) => agent.reserve()));
  const tokens = answers.map((answer) => must(answer).token);
  expect(new Set(tokens).size).toBe(agents.length);
});
