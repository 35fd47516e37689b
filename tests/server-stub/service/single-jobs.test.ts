/** Jobs on one node that are ended early, begun anew, or given up; and the release that they bring. */
import { expect, test } from "vitest";
import { DEFAULTS } from "../../../protocol/defaults.ts";
import type { Principal } from "../../../server-stub/service/coordinator.ts";
import { ADMIN, code, House, must, three } from "./house.ts";
import { buildOf } from "./shelf.ts";
import type { TestAgent } from "./test-agent.ts";

const { jobTimeoutMs } = DEFAULTS;
const asNode = (agent: TestAgent): Principal => ({
  kind: "node",
  nodeId: agent.id,
  group: agent.group,
  membership: "approved",
  from: "127.0.0.1",
});

/** Three voters on 1.0.0, and 1.1.0 published. */
async function house3(): Promise<{ house: House; all: [TestAgent, TestAgent, TestAgent] }> {
  const house = await House.build();
  const all = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.0.0");
  house.shelf.put("1.1.0");
  return { house, all };
}
const start = async (house: House, agent: TestAgent, options: { release?: string; retry?: boolean } = {}) => {
  const job = must(await house.baton.nodes.start(ADMIN, agent.id, "update", options));
  await agent.beat();
  return job;
};
const jobOf = async (house: House, id: string) => must(await house.baton.jobs.get(id));

test("a job that nobody has begun, or that only reserves, is cancelled; its reservation goes with it", async () => {
  const { house: built, all } = await house3();
  await using house = built;
  const [a, b] = all;
  const queued = await start(house, a);
  expect(must(await house.baton.jobs.cancel(ADMIN, queued.id))).toMatchObject({
    status: "cancelled",
    reason: { code: "job-cancelled", message: "Cancelled by operator ada." },
  });
  await a.beat();
  expect(a.orders?.desired).toBeNull();

  const reserved = await start(house, b);
  await b.prepare();
  const { token } = must(await b.reserve());
  expect(must(await house.baton.leases.view("db")).holder?.nodeName).toBe("b");
  expect(must(await house.baton.jobs.cancel(asNode(b), reserved.id)).status).toBe("cancelled");
  expect(must(await house.baton.leases.view("db")).holder).toBeNull();
  expect(code(await b.commit(token))).toBe("stale-token");
  const again = await house.baton.jobs.cancel(ADMIN, reserved.id);
  expect(must(again).status).toBe("cancelled");
  const actions = (await house.baton.audit.list(3)).map(({ action }) => action);
  expect(actions).toEqual(["job.cancelled", "lease.cancelled", "lease.reserved"]);
});

test("past the commit a job is not cancelled, and neither is one that has ended", async () => {
  const { house: built, all } = await house3();
  await using house = built;
  const [a, b, c] = all;
  const job = await start(house, a);
  await a.prepare();
  await a.goDown();
  const refused = await house.baton.jobs.cancel(ADMIN, job.id);
  expect(refused).toMatchObject({
    error: {
      code: "wrong-state",
      context: { state: "in-flight" },
      message: expect.stringContaining("finishes"),
    },
  });
  expect(must(await house.baton.leases.view("db")).holder?.phase).toBe("in-flight");
  await a.start(buildOf("1.1.0"));
  await house.beats(2, a, b, c);
  expect(await a.confirm()).toBe(true);
  expect(await house.baton.jobs.cancel(ADMIN, job.id)).toMatchObject({
    error: { code: "wrong-state", context: { state: "succeeded" } },
  });
  expect(code(await house.baton.jobs.cancel(ADMIN, "j-nobody000000"))).toBe("not-found");
});

test("a job of a rollout that is cancelled leaves its node out, with the reason, and the others go on", async () => {
  const { house: built, all } = await house3();
  await using house = built;
  const { id } = must(await house.baton.rollouts.start(ADMIN, { selection: { groups: ["db"] } }));
  await house.beats(1, ...all);
  const [a, b, c] = all;
  const jobId = a.orders?.desired?.jobId ?? "";
  must(await house.baton.jobs.cancel(ADMIN, jobId));
  const nodes = async () => must(await house.baton.rollouts.get(id)).nodes;
  expect((await nodes()).find(({ name }) => name === "a")).toMatchObject({
    status: "skipped",
    reason: { code: "job-cancelled" },
  });
  for (const agent of [b, c]) await agent.prepare();
  await house.beats(1, ...all);
  for (const agent of [b, c]) {
    await agent.beat();
    await agent.updateWell(all.filter((other) => other !== agent));
    await house.beats(1, ...all);
  }
  expect(must(await house.baton.rollouts.get(id)).status).toBe("completed");
  // What a person has cancelled is not begun again unasked, though the group is to be there now.
  await house.beats(5, ...all);
  expect(must(await house.baton.nodes.get(a.id))).toMatchObject({ behind: true, jobId: null });
  must(await house.baton.jobs.retry(ADMIN, jobId));
});

test("what failed or was cancelled is begun anew, as another job that lifts holds", async () => {
  const { house: built, all } = await house3();
  await using house = built;
  const [a] = all;
  const job = await start(house, a);
  expect(await house.baton.jobs.retry(ADMIN, job.id)).toMatchObject({
    error: { code: "wrong-state", context: { state: "queued" } },
  });
  a.say("idle", { failed: true, reason: { code: "disk-full", message: "No space left." } });
  await a.beat();
  a.holdings = { backup: null, hold: true, quarantine: [] };
  a.say("idle");
  await house.beats(1, ...all);
  const retried = must(await house.baton.jobs.retry(ADMIN, job.id));
  expect(retried).toMatchObject({ retryOf: job.id, retry: true, release: "1.1.0", status: "queued" });
  expect(must(await house.baton.jobs.retry(ADMIN, job.id)).id).toBe(retried.id);
  await house.beats(4, ...all.slice(1));
  must(await house.baton.jobs.cancel(ADMIN, retried.id));
  expect(code(await house.baton.jobs.retry(ADMIN, retried.id))).toBe("node-offline");
});

test("a release can be named, is refused when it is not published, and the node stays on it", async () => {
  const { house: built, all } = await house3();
  await using house = built;
  const [a, b, c] = all;
  must(await house.baton.rollouts.start(ADMIN, { selection: { groups: ["db"] }, release: "1.0.0" }));
  await house.beats(1, ...all);
  expect(must(await house.baton.nodes.get(a.id)).desired).toBe("1.0.0");
  const update = (release: string) => house.baton.nodes.start(ADMIN, a.id, "update", { release });
  expect(code(await update("9.9.9"))).toBe("no-release");
  expect(code(await update("1.0.0"))).toBe("already-up-to-date");
  const job = await start(house, a, { release: "1.1.0" });
  expect(job.release).toBe("1.1.0");
  await a.updateWell([b, c]);
  expect((await jobOf(house, job.id)).status).toBe("succeeded");
  await house.beats(5, ...all);
  expect(must(await house.baton.nodes.get(a.id))).toMatchObject({
    desired: "1.1.0",
    behind: false,
    jobId: null,
  });
});

test("a job without progress is given up; the rest of the rollout is told so", async () => {
  const { house: built, all } = await house3();
  await using house = built;
  const [a, b, c] = all;
  const { id } = must(await house.baton.rollouts.start(ADMIN, { selection: { groups: ["db"] } }));
  await house.beats(1, ...all);
  await b.prepare();
  const [stuck, ready] = [a.orders?.desired?.jobId ?? "", b.orders?.desired?.jobId ?? ""];
  const pass = async (ms: number) => {
    house.clock.pass(ms - DEFAULTS.heartbeatMs);
    await house.beats(1, a, b, c);
  };
  a.say("preparing", { step: "fetch", percent: 10 });
  c.say("preparing", { step: "fetch", percent: 10 });
  await pass(10_000);
  await pass(jobTimeoutMs - 20_000);
  // Every percent counts.
  c.say("preparing", { step: "fetch", percent: 11 });
  await pass(10_000);
  expect((await jobOf(house, stuck)).status).toBe("running");
  await pass(20_000);
  expect(await jobOf(house, stuck)).toMatchObject({
    status: "failed",
    reason: { code: "timed-out", message: "The node made no progress for 1800 s (step fetch)." },
  });
  // Ready, and waiting for its turn; or making progress.
  expect((await jobOf(house, ready)).reason?.code).not.toBe("timed-out");
  const rollout = must(await house.baton.rollouts.get(id));
  expect(rollout.nodes.find(({ name }) => name === "a")?.reason?.code).toBe("timed-out");
  expect(rollout.nodes.find(({ name }) => name === "c")?.reason?.code).not.toBe("timed-out");
});

test("what is in flight is not given up, however long it takes; a restart counts anew", async () => {
  const { house: built, all } = await house3();
  await using house = built;
  const [a, b, c] = all;
  const job = await start(house, a);
  await a.prepare();
  await a.goDown();
  a.say("idle", { jobId: null });
  house.clock.pass(jobTimeoutMs);
  await house.baton.tick();
  await house.beats(1, b, c);
  expect((await jobOf(house, job.id)).reason?.code).not.toBe("timed-out");

  const waiting = await start(house, b);
  await house.baton.tick();
  house.clock.pass(jobTimeoutMs - 1_000);
  await house.restart();
  await house.baton.tick();
  house.clock.pass(5_000);
  await house.baton.tick();
  expect((await jobOf(house, waiting.id)).status).toBe("queued");
  house.clock.pass(jobTimeoutMs);
  await house.baton.tick();
  expect((await jobOf(house, waiting.id)).reason?.code).toBe("timed-out");
});

test("a node that is asked to look at itself must be there, know how, and not be at it already", async () => {
  const { house: built, all } = await house3();
  await using house = built;
  const [a, b, c] = all;
  const diagnose = (agent: TestAgent) => house.baton.nodes.start(ADMIN, agent.id, "diagnose", {});
  b.protocol = 1;
  await b.connect();
  expect(await diagnose(b)).toMatchObject({ error: { code: "not-supported", context: { protocol: 1 } } });
  await start(house, a);
  const job = must(await diagnose(a));
  expect(job).toMatchObject({ kind: "diagnose", to: null, release: null, status: "queued" });
  expect(code(await diagnose(a))).toBe("update-in-progress");
  expect(must(await house.baton.jobs.cancel(ADMIN, job.id)).status).toBe("cancelled");
  const retried = must(await house.baton.jobs.retry(ADMIN, job.id));
  expect(retried).toMatchObject({ kind: "diagnose", retryOf: job.id });
  expect(must(await house.baton.jobs.retry(ADMIN, job.id)).id).toBe(retried.id);
  house.clock.pass(60_000);
  expect(code(await diagnose(c))).toBe("node-offline");
  await house.baton.tick();
  house.clock.pass(jobTimeoutMs);
  await house.baton.tick();
  expect((await jobOf(house, retried.id)).reason?.code).toBe("timed-out");
  expect((await house.baton.alerts.list()).filter(({ kind }) => kind === "update_failed")).toHaveLength(1);
});

test("jobs are listed by pages, newest first, by node, status, kind and rollout", async () => {
  const { house: built, all } = await house3();
  await using house = built;
  const [a, b] = all;
  const ids: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    const { id } = await start(house, a);
    must(await house.baton.jobs.cancel(ADMIN, id));
    ids.unshift(id);
  }
  const { id: diagnosis } = must(await house.baton.nodes.start(ADMIN, b.id, "diagnose", {}));
  const list = async (query: object) => (await house.baton.jobs.list({ limit: 10, ...query })).jobs;
  expect((await list({})).map(({ id }) => id)).toEqual([diagnosis, ...ids]);
  expect((await list({ nodeId: a.id })).map(({ id }) => id)).toEqual(ids);
  expect((await list({ status: "queued" })).map(({ id }) => id)).toEqual([diagnosis]);
  expect((await list({ kind: "diagnose" })).map(({ id }) => id)).toEqual([diagnosis]);
  expect(await list({ rolloutId: "r-nobody000000" })).toEqual([]);
  const first = await house.baton.jobs.list({ limit: 2, nodeId: a.id });
  expect(first.jobs.map(({ id }) => id)).toEqual(ids.slice(0, 2));
  const second = await house.baton.jobs.list({ limit: 2, nodeId: a.id, before: first.next ?? 0 });
  expect(second.jobs.map(({ id }) => id)).toEqual(ids.slice(2));
  expect(second.next).toBeNull();
});
