import { expect, test } from "vitest";
import type { HealthReport } from "../../../protocol/health.ts";
import { ADMIN, House, must, three } from "./house.ts";
import type { TestAgent } from "./test-agent.ts";

const LEADS: HealthReport = { healthy: true, role: "leader" };
const FOLLOWS: HealthReport = { healthy: true, role: "follower" };
const SILENT: HealthReport = { healthy: true };

/** Three voters that are ready to go to 1.1.0, saying this of themselves. */
async function ready(house: House, ...says: readonly [HealthReport, HealthReport, HealthReport]) {
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  const all = [a, b, c];
  for (const [at, agent] of all.entries()) agent.health = says[at] ?? SILENT;
  await house.beats(1, ...all);
  house.shelf.put("1.1.0");
  const { id } = must(await house.baton.rollouts.start(ADMIN, { selection: { groups: ["db"] } }));
  await house.beats(1, ...all);
  for (const agent of all) await agent.prepare();
  await house.beats(1, ...all);
  return { a, b, c, all, id };
}

/** Whoever has its turn goes, one after the other, and then says `after` of itself; in which order they went. */
async function goAll(house: House, all: readonly TestAgent[], after: HealthReport): Promise<string[]> {
  const went: string[] = [];
  for (const _ of all) {
    const next = all.find(({ orders }) => orders?.turn != null);
    if (next === undefined) break;
    const to = next.orders?.desired?.build;
    if (to == null) throw new Error("nothing is desired");
    await next.goDown();
    next.health = after;
    await next.start(to);
    const others = all.filter((agent) => agent !== next);
    await house.beats(3, next, ...others);
    if (!(await next.confirm())) throw new Error(`${next.name} was not told to confirm`);
    await house.beats(2, ...all);
    went.push(next.name);
  }
  return went;
}

test("a build that begins to report roles is rolled out, though nobody says who leads meanwhile", async () => {
  await using house = await House.build();
  const { all, id } = await ready(house, SILENT, SILENT, SILENT);
  expect(await goAll(house, all, FOLLOWS)).toHaveLength(3);
  expect(must(await house.baton.rollouts.get(id)).status).toBe("completed");
});

test("a build that reports no roles any more is rolled out, the leader last", async () => {
  await using house = await House.build();
  const { a, all, id } = await ready(house, LEADS, FOLLOWS, FOLLOWS);
  expect(await goAll(house, all, SILENT)).toEqual(["b", "c", "a"]);
  expect(a.runs.version).toBe("1.1.0");
  expect(must(await house.baton.rollouts.get(id)).status).toBe("completed");
});

test("where only some report, who says that it follows goes before who may lead", async () => {
  await using house = await House.build();
  const { all, a } = await ready(house, SILENT, FOLLOWS, FOLLOWS);
  expect(a.orders?.waiting).toEqual({
    code: "leader-last",
    message: "It reports no role, may be the leader and goes last, after b, c.",
  });
  expect((await goAll(house, all, SILENT)).at(-1)).toBe("a");
});

test("leadership that moves in the middle of a rollout moves the turn with it", async () => {
  await using house = await House.build();
  const { a, b, c, all, id } = await ready(house, LEADS, FOLLOWS, FOLLOWS);
  expect(all.map(({ orders }) => orders?.turn != null)).toEqual([false, true, false]);
  // Before b has used its turn, it is elected.
  a.health = FOLLOWS;
  b.health = LEADS;
  await house.beats(2, ...all);
  expect(b.orders?.waiting?.code).toBe("leader-last");
  expect(all.map(({ orders }) => orders?.turn != null)).toEqual([false, false, true]);
  // And while c has its reservation, it is elected: refused at commit, and the others go first.
  const { token } = must(await c.reserve());
  b.health = FOLLOWS;
  c.health = LEADS;
  await house.beats(1, ...all);
  const refused = await c.commit(token);
  expect(refused.ok ? null : refused.error.code).toBe("leader-last");
  const reason = { code: "leader-last", message: "It leads." };
  c.words = [{ token, jobId: c.orders?.desired?.jobId ?? "", word: "not-acted", reason }];
  await house.beats(2, ...all);
  expect([a, b].filter(({ orders }) => orders?.turn != null)).toHaveLength(1);
  expect((await goAll(house, all, FOLLOWS)).at(-1)).toBe("c");
  expect(must(await house.baton.rollouts.get(id)).status).toBe("completed");
});

test("leadership that comes to whoever is about to go, again and again, fails nobody", async () => {
  await using house = await House.build();
  const { all, id } = await ready(house, LEADS, FOLLOWS, FOLLOWS);
  const job = () => all.map(({ orders }) => orders?.desired?.jobId ?? "");
  const before = job();
  const refusals = new Map<string, number>();
  // With its reservation each is elected, or nobody is: refused at commit, and the lease comes back.
  for (let round = 0; round < 16; round += 1) {
    const next = all.find(({ orders }) => orders?.turn != null);
    if (next === undefined) throw new Error("nobody has its turn");
    const { token } = must(await next.reserve());
    for (const agent of all) agent.health = agent === next && round % 2 === 0 ? LEADS : FOLLOWS;
    await house.beats(1, ...all);
    const refused = await next.commit(token);
    if (refused.ok) throw new Error("it was let go");
    const { code, message } = refused.error;
    refusals.set(code, (refusals.get(code) ?? 0) + 1);
    next.words = [
      { token, jobId: next.orders?.desired?.jobId ?? "", word: "not-acted", reason: { code, message } },
    ];
    next.health = FOLLOWS;
    const leader = all.find((agent) => agent !== next);
    if (leader !== undefined) leader.health = LEADS;
    await house.beats(2, ...all);
  }
  expect(Object.fromEntries(refusals)).toEqual({ "leader-last": 8, "leader-unknown": 8 });
  expect(job()).toEqual(before);
  expect(must(await house.baton.rollouts.get(id))).toMatchObject({
    status: "running",
    counts: { failed: 0 },
  });
  expect(await goAll(house, all, FOLLOWS)).toHaveLength(3);
  expect(must(await house.baton.rollouts.get(id)).status).toBe("completed");
});
