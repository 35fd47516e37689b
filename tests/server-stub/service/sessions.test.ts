import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import {
  type AgentFrame,
  type CoordinatorFrame,
  OLDEST_PROTOCOL,
  PROTOCOL,
} from "../../../protocol/frames.ts";
import { ADMIN, code, House, must, three } from "./house.ts";
import type { TestAgent } from "./test-agent.ts";

const refusal = (frames: readonly CoordinatorFrame[]) =>
  frames.map((frame) => (frame.type === "refused" ? frame.code : frame.type));
const receive = (house: House, agent: TestAgent, ...frames: AgentFrame[]) =>
  house.baton.sessions.receive(agent.id, frames);

test("a hello that is not echoed proves nothing, and ends the session before it", async () => {
  await using house = await House.build();
  const [a] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  const before = a.heartbeat;
  const forged = {
    ...a.hello,
    instanceId: randomUUID(),
    build: { version: "9.0.0", buildHash: "9".repeat(64) },
  };
  const [welcome] = await receive(house, a, forged);
  expect(welcome?.type).toBe("welcome");
  expect(must(await house.baton.nodes.get(a.id))).toMatchObject({
    build: { version: "1.0.0" },
    serving: false,
    presence: "online",
  });
  expect(refusal(await receive(house, a, before))).toEqual(["unknown-session"]);
  expect(
    code(
      await house.baton.leases.reserve(a.id, "db", {
        session: a.session,
        jobId: "j-000000000000",
        build: a.runs,
      }),
    ),
  ).not.toBe("");
  await a.connect();
  expect(must(await house.baton.nodes.get(a.id)).serving).toBe(true);
});

test("a number counts once, and never after a higher one", async () => {
  await using house = await House.build();
  const [a] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  const first = a.heartbeat;
  const second = a.heartbeat;
  expect(refusal(await receive(house, a, second))).toEqual(["orders"]);
  expect(refusal(await receive(house, a, first))).toEqual(["stale-seq"]);
  expect(refusal(await receive(house, a, second))).toEqual(["stale-seq"]);
  expect(refusal(await receive(house, a, { ...a.heartbeat, instanceId: randomUUID() }))).toEqual([
    "unknown-session",
  ]);
});

test("a session speaks the lower protocol of both, and an agent of the first one is told nothing of that", async () => {
  await using house = await House.build();
  const [a] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  for (const [said, told] of [
    [1, undefined],
    [2, 2],
    [99, PROTOCOL],
  ] as const) {
    const [welcome] = await receive(house, a, { ...a.hello, protocol: said });
    if (welcome?.type !== "welcome") throw new Error(`no welcome for protocol ${said}`);
    expect(welcome.protocol).toBe(told);
    expect("protocol" in welcome).toBe(told !== undefined);
  }
});

test("a protocol that is no longer spoken is refused, and nothing is known of the node", async () => {
  await using house = await House.build();
  const [a] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  expect(refusal(await receive(house, a, { ...a.hello, protocol: OLDEST_PROTOCOL - 1 }))).toEqual([
    "protocol",
  ]);
  expect(refusal(await a.beat())).toEqual(["orders"]);
  expect(refusal(await house.baton.sessions.receive("n-nobody000000", [a.hello]))).toEqual([
    "unknown-session",
  ]);
});

test("a coordinator that restarts knows no session, and nobody's presence, and raises no alarm", async () => {
  await using house = await House.build();
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  await house.beats(1, a, b, c);
  await house.restart();
  expect(refusal(await a.beat())).toEqual(["unknown-session"]);
  for (let seconds = 0; seconds < 15; seconds += 5) {
    await house.baton.tick();
    expect(must(await house.baton.nodes.get(a.id)).presence).toBe("unknown");
    house.clock.pass(5_000);
  }
  await a.connect();
  await b.connect();
  await house.baton.tick();
  expect(await house.baton.alerts.list()).toEqual([]);
  house.clock.pass(5_001);
  await a.beat();
  await b.beat();
  await house.baton.tick();
  expect(
    (await house.baton.alerts.list()).map((alert) => [alert.kind, alert.subject, alert.resolvedAt]),
  ).toEqual([["node_offline", c.id, null]]);
  await c.connect();
  await house.baton.tick();
  expect((await house.baton.alerts.list())[0]?.resolvedAt).not.toBeNull();
});

test("a wall clock that jumps makes nobody offline and no reservation older", async () => {
  await using house = await House.build();
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.1.0");
  must(await house.baton.rollouts.start(ADMIN, { selection: { groups: ["db"] } }));
  await house.beats(1, a, b, c);
  await a.prepare();
  const { token } = must(await a.reserve());
  house.clock.setWall(house.clock.now() + 10 * 365 * 86_400_000);
  await house.baton.tick();
  expect(must(await house.baton.nodes.get(b.id)).presence).toBe("online");
  expect(must(await a.commit(token)).actWithinMs).toBe(10_000);
});

test("what is new is pushed to whoever is attached, once; a second door supersedes the first", async () => {
  await using house = await House.build();
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  let superseded = 0;
  const door = { send: () => undefined, superseded: () => (superseded += 1), revoked: () => undefined };
  house.baton.sessions.attach(a.id, door);
  a.attach();
  expect(superseded).toBe(1);
  house.shelf.put("1.1.0");
  must(await house.baton.rollouts.start(ADMIN, { selection: { groups: ["db"] } }));
  await house.settle();
  expect(a.orders?.desired?.release).toBe("1.1.0");
  const pushed = a.pushed.length;
  await house.baton.tick();
  await house.settle();
  expect(a.pushed).toHaveLength(pushed);

  b.attach();
  await a.prepare();
  await b.prepare();
  await c.beat();
  await house.settle();
  expect([a.orders?.turn === null, b.orders?.waiting?.code]).toEqual([false, "not-your-turn"]);
  await a.updateWell([b, c]);
  await house.settle();
  expect(b.orders?.turn).not.toBeNull();
});

test("a job's log spans the restart of the node, and every line is kept once", async () => {
  await using house = await House.build();
  const [a] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.1.0");
  const job = must(await house.baton.nodes.start(ADMIN, a.id, "update", {}));
  await a.beat();
  const line = (index: number) => ({
    index,
    at: 1,
    source: "agent" as const,
    step: null,
    text: `line ${index}`,
  });
  const send = async (...indexes: number[]) => {
    const { seq } = a.heartbeat;
    const frame = { type: "log" as const, session: a.session, seq, jobId: job.id, lines: indexes.map(line) };
    return receive(house, a, frame);
  };
  await send(0, 1);
  await send(1, 2);
  const [orders] = await send(5);
  expect(orders).toMatchObject({ logNext: [{ jobId: job.id, index: 3 }] });
  a.instanceId = randomUUID();
  await a.connect();
  expect(a.orders?.logNext).toEqual([{ jobId: job.id, index: 3 }]);
  await send(3, 4, 5);
  expect(must(await house.baton.jobs.log(job.id, 0, 100)).map((each) => each.text)).toEqual(
    [0, 1, 2, 3, 4, 5].map((index) => `line ${index}`),
  );
  const [, other] = [...(await house.store.nodes())].map((node) => node.value.id).filter((id) => id !== a.id);
  expect(code(await house.baton.jobs.append(other ?? "", job.id, [line(6)]))).toBe("not-found");
});

test("heartbeats that say nothing new are never a write", async () => {
  await using house = await House.build();
  const agents = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  await house.beats(1, ...agents);
  const applied = house.countWrites();
  await house.beats(5, ...agents);
  expect(applied()).toBe(0);
});
