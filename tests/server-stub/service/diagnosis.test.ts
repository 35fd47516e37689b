import { expect, test } from "vitest";
import type { Finding } from "../../../protocol/finding.ts";
import type { JobRecord } from "../../../server-stub/core/job/job.ts";
import { ADMIN, code, House, must, three } from "./house.ts";
import type { TestAgent } from "./test-agent.ts";

const JOB = "j-diagnose0001";

/** A diagnosis of a node, as one is opened for it. */
async function ask(house: House, agent: TestAgent, id = JOB): Promise<void> {
  const value: JobRecord = {
    ...PLAIN,
    id,
    nodeId: agent.id,
    group: agent.group,
    createdAt: house.clock.now(),
  };
  expect(await house.store.apply([{ kind: "job", value, expected: 0 }])).toEqual({ ok: true });
}

const PLAIN: Omit<JobRecord, "id" | "nodeId" | "group" | "createdAt"> = {
  kind: "diagnose",
  cause: "operator",
  rolloutId: null,
  release: null,
  from: null,
  to: null,
  retry: false,
  retryOf: null,
  acceptOutage: false,
  status: "queued",
  step: null,
  percent: 0,
  bytesPerSecond: null,
  reason: null,
  confirming: null,
  returns: 0,
  startedAt: null,
  endedAt: null,
};

const found = (level: Finding["level"], message: string): Finding => ({
  check: "disk",
  code: `disk-${level}`,
  level,
  message,
  hint: null,
});
const line = (index: number) => ({
  index,
  at: 1,
  source: "agent" as const,
  step: null,
  text: `line ${index}`,
});

test("a node looks at itself beside a rollout that goes on, and says so until nobody asks any more", async () => {
  await using house = await House.build();
  house.shelf.put("2.0.0");
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  await a.beat();
  must(await house.baton.nodes.start(ADMIN, a.id, "update", {}));
  await ask(house, a);
  await a.beat();
  const update = a.orders?.desired?.jobId;
  expect(update).toMatch(/^j-/);
  expect(a.orders).toMatchObject({ diagnose: { jobId: JOB }, logNext: [{ jobId: JOB, index: 0 }] });

  await a.send({ type: "log", jobId: JOB, lines: [line(0), line(1)] });
  expect(must(await house.baton.jobs.get(JOB)).status).toBe("running");
  expect(a.orders).toMatchObject({ diagnose: { jobId: JOB }, logNext: [{ jobId: JOB, index: 2 }] });
  expect(
    code(await house.baton.leases.reserve(a.id, "db", { session: a.session, jobId: JOB, build: a.runs })),
  ).toBe("not-your-turn");

  const ended = { type: "diagnosis" as const, jobId: JOB, ok: true, findings: [found("ok", "Fine.")] };
  await a.send(ended);
  expect(a.orders?.diagnose).toBeUndefined();
  expect(a.orders?.desired?.jobId).toBe(update);
  const job = must(await house.baton.jobs.get(JOB));
  expect(job).toMatchObject({ status: "succeeded", reason: null });
  await a.send({ ...ended, ok: false });
  expect(must(await house.baton.jobs.get(JOB))).toEqual(job);

  await a.updateWell([b, c]);
  expect(must(await house.baton.nodes.get(a.id)).build?.version).toBe("2.0.0");
});

test("what it finds wrong is why it failed, and no alarm about updates", async () => {
  await using house = await House.build();
  const [a, b] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  await ask(house, a);
  const frame = {
    type: "diagnosis" as const,
    jobId: JOB,
    ok: false,
    findings: [found("problem", "The disk is full."), found("ok", "Fine."), found("problem", "No DNS.")],
  };
  await b.send(frame);
  expect(must(await house.baton.jobs.get(JOB)).status).toBe("queued");
  await a.send(frame);
  expect(must(await house.baton.jobs.get(JOB))).toMatchObject({
    status: "failed",
    reason: { code: "disk-problem", message: "The disk is full. No DNS." },
  });
  expect((await house.store.alerts({ state: "all", limit: 10 })).length).toBe(0);
});

test("an agent of protocol 1 is never asked, and one that is gone is not waited for", async () => {
  await using house = await House.build();
  const [a, b] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  a.protocol = 1;
  await a.connect();
  expect(a.agreed).toBe(1);
  await ask(house, a);
  await a.beat();
  expect(a.orders).not.toHaveProperty("diagnose");
  expect(await a.send({ type: "diagnosis", jobId: JOB, ok: true, findings: [] })).toMatchObject([
    { type: "refused", code: "protocol" },
  ]);
  must(await house.baton.nodes.revoke(ADMIN, a.id));
  expect(must(await house.baton.jobs.get(JOB)).status).toBe("cancelled");

  await ask(house, b, "j-diagnose0002");
  must(await house.baton.nodes.remove(ADMIN, b.id));
  expect(must(await house.baton.jobs.get("j-diagnose0002")).status).toBe("cancelled");
});

test("crashes are known of a node as it last said", async () => {
  await using house = await House.build();
  const [a] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  const [answer] = await house.baton.sessions.receive(a.id, [{ ...a.heartbeat, crashes: 4 }]);
  expect(answer?.type).toBe("orders");
});
