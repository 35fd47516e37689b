import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DEFAULTS } from "../../../protocol/defaults.ts";
import type { LogLine } from "../../../protocol/job.ts";
import { LOG_FULL, MAX_LOG } from "../../../server-stub/service/job-log.ts";
import { DAY_MS, DEFAULT_RETENTION } from "../../../server-stub/service/retention.ts";
import { ADMIN, House, must } from "./house.ts";
import type { TestAgent } from "./test-agent.ts";

describe("what is over", () => {
  let house: House;
  beforeEach(async () => {
    house = await House.build();
  });
  afterEach(() => house[Symbol.asyncDispose]());

  test("is let go of by the engine when its time has passed, and not before", async () => {
    must(await house.baton.groups.create(ADMIN, { name: "web" }));
    const entries = async () => (await house.store.audit(10)).map(({ action }) => action);
    expect(await entries()).toEqual(["group.created"]);
    house.clock.pass(DEFAULT_RETENTION.audit - DAY_MS);
    await house.baton.tick();
    expect(await entries()).toEqual(["group.created"]);
    house.clock.pass(2 * DAY_MS);
    await house.baton.tick();
    expect(await entries()).toEqual([]);
  });

  test("goes a little at a time: one tick never works longer than it may", async () => {
    const entry = { at: 0, actor: "a", action: "x", subject: "s", before: null, after: null, from: "" };
    await house.store.apply(Array.from({ length: 900 }, () => ({ kind: "audit", value: entry })));
    const prune = house.store.prune.bind(house.store);
    const steps: number[] = [];
    house.store.prune = async (...asked) => {
      house.clock.pass(20);
      const gone = await prune(...asked);
      if (asked[0] === "audit") steps.push(gone);
      return gone;
    };
    for (let ticks = 0; ticks < 6; ticks += 1) await house.baton.tick();
    expect(steps).toEqual([200, 200, 200, 200, 100]);
    const done = steps.length;
    await house.baton.tick();
    expect(steps).toHaveLength(done);
  });

  test("stays while the wall clock is out by days", async () => {
    must(await house.baton.groups.create(ADMIN, { name: "web" }));
    house.clock.setWall(house.clock.now() + 1000 * DAY_MS);
    house.clock.pass(DEFAULT_RETENTION.jobs);
    await house.baton.tick();
    expect(await house.store.audit(10)).toHaveLength(1);
  });

  test("the repository is swept every hour", async () => {
    await house.baton.tick();
    expect(house.shelf.swept).toEqual([]);
    house.clock.pass(3_600_000);
    await house.baton.tick();
    await house.baton.tick();
    expect(house.shelf.swept).toEqual([{ bundlesAfterMs: DEFAULT_RETENTION.bundles, at: house.clock.now() }]);
  });
});

describe("a job's log", () => {
  let house: House;
  let agent: TestAgent;
  let jobId: string;
  beforeEach(async () => {
    house = await House.build();
    const [joined] = await house.group("web", "independent", ["a"], "1.0.0");
    if (joined === undefined) throw new Error("nobody joined");
    agent = joined;
    house.shelf.put("1.1.0");
    must(await house.baton.rollouts.start(ADMIN, { selection: { groups: ["web"] } }));
    await house.beats(1, agent);
    jobId = (await house.store.activeJob(agent.id))?.value.id ?? "";
  });
  afterEach(() => house[Symbol.asyncDispose]());
  const line = (index: number, text: string): LogLine => ({
    index,
    at: 1,
    source: "hook",
    step: null,
    text,
  });
  const append = async (from: number, count: number, text = "x") =>
    must(
      await house.baton.jobs.append(
        agent.id,
        jobId,
        Array.from({ length: count }, (_, each) => line(from + each, text)),
      ),
    );

  test("ends with a line that says so, and what comes after it is taken as had", async () => {
    let next = 0;
    while (next < MAX_LOG.lines - 100) next = await append(next, 100);
    expect(next).toBe(MAX_LOG.lines - 100);
    expect(await append(next, 100)).toBe(LOG_FULL);
    expect(await append(MAX_LOG.lines, 100)).toBe(LOG_FULL);
    const tail = await house.store.log(jobId, MAX_LOG.lines - 2, 10);
    expect(tail.map(({ index, source }) => [index, source])).toEqual([
      [MAX_LOG.lines - 2, "hook"],
      [MAX_LOG.lines - 1, "coordinator"],
    ]);
    expect(tail[1]?.text).toContain("longer than what is kept");
    // Whoever connects again is not asked for the rest.
    await agent.connect();
    expect(agent.orders?.logNext).toEqual([{ jobId, index: LOG_FULL }]);
  });

  test("is full by its characters as well, also after a restart", async () => {
    const wide = "x".repeat(8192);
    let next = 0;
    while (next < 512) next = await append(next, 16, wide);
    expect((await house.store.logSize(jobId)).characters).toBe(MAX_LOG.characters);
    expect(await append(next, 2, wide)).toBe(LOG_FULL);
    await house.restart();
    expect(await append(next + 1, 1)).toBe(LOG_FULL);
    expect(await house.store.logLength(jobId)).toBe(513);
    house.clock.pass(DEFAULTS.heartbeatMs);
  });
});
