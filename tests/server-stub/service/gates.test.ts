import { expect, test } from "vitest";
import type { Window } from "../../../protocol/policy.ts";
import { MAX_RETURNS } from "../../../server-stub/core/job/outcome.ts";
import { ADMIN, code, House, must, three } from "./house.ts";
import { buildOf } from "./shelf.ts";

const HOUR_MS = 3_600_000;

/** The house's clock begins at 2027-01-15T08:00Z. */
const window = (hour: number, hours = 1): Window => ({
  cron: `0 ${hour} * * *`,
  timezone: "UTC",
  durationMs: hours * HOUR_MS,
});

/** Three voters that are ready to go to 1.1.0. */
async function ready(house: House, windows: Window[] = []) {
  must(await house.baton.policy.edit(ADMIN, { windows }));
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.1.0");
  const { id } = must(await house.baton.rollouts.start(ADMIN, { selection: { groups: ["db"] } }));
  await house.beats(1, a, b, c);
  for (const agent of [a, b, c]) await agent.prepare();
  await house.beats(1, a, b, c);
  return { a, b, c, id, all: [a, b, c] as const };
}

test("outside its window a rollout prepares, says what it waits for, and goes on by itself when it opens", async () => {
  await using house = await House.build();
  const { a, b, c, id, all } = await ready(house, [window(10)]);
  const waits = {
    code: "outside-window",
    message:
      "The maintenance window is closed. It opens next at 2027-01-15 10:00 UTC (2027-01-15T10:00:00Z).",
  };
  for (const agent of all) expect(agent.orders).toMatchObject({ turn: null, waiting: waits });
  expect(must(await house.baton.rollouts.get(id)).nodes.map(({ reason }) => reason)).toEqual([
    waits,
    waits,
    waits,
  ]);
  expect(must(await house.baton.groups.get("db")).gate).toEqual(waits);
  const refused = await a.reserve();
  expect(refused.ok ? null : refused.error).toMatchObject({ code: "outside-window", retryAfterMs: 5_000 });

  house.clock.pass(2 * HOUR_MS);
  for (const agent of all) agent.attach();
  await house.beats(1, a, b, c);
  await house.settle();
  expect(all.filter(({ orders }) => orders?.turn != null)).toHaveLength(1);
  expect(must(await house.baton.groups.get("db")).gate).toBeNull();
  await a.updateWell([b, c]);
});

test("who waits is poked when the gate opens, by an operator or by time, though nobody was heard in between", async () => {
  await using house = await House.build();
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  house.shelf.put("1.1.0");
  must(await house.baton.groups.edit(ADMIN, "db", { windows: [window(8)] }));
  house.clock.pass(HOUR_MS - 10_000);
  await house.beats(1, a, b, c);
  must(await house.baton.policy.freeze(ADMIN, { reason: "wait" }));
  must(await house.baton.nodes.start(ADMIN, a.id, "update", {}));
  a.attach();
  await a.beat();
  await a.prepare();
  await house.baton.tick();
  await house.settle();
  expect(a.orders?.waiting).toEqual({
    code: "paused",
    message: "The fleet is frozen by ada until it is lifted: wait",
  });
  const before = a.pushed.length;
  must(await house.baton.policy.unfreeze(ADMIN));
  await house.settle();
  expect(a.pushed).toHaveLength(before + 1);
  expect(a.orders?.turn).not.toBeNull();

  const untilNext = async (instant: string) => {
    house.clock.pass(Date.parse(`${instant}Z`) - house.clock.now() - 2_000);
    for (const agent of [b, c, a]) await agent.beat();
    await house.baton.tick();
    await house.settle();
    const { turn } = a.orders ?? {};
    house.clock.pass(2_000);
    await house.baton.tick();
    await house.settle();
    return turn;
  };
  expect(await untilNext("2027-01-15T09:00")).not.toBeNull();
  expect(a.orders).toMatchObject({ turn: null, waiting: { code: "outside-window" } });
  expect(await untilNext("2027-01-16T08:00")).toBeNull();
  expect(a.orders?.turn).not.toBeNull();
});

test("a window that closes between reserve and commit refuses the commit, as often as it likes, and the job goes on", async () => {
  await using house = await House.build();
  const { a, b, c, id } = await ready(house);
  for (let night = 0; night <= MAX_RETURNS; night += 1) {
    const { token } = must(await a.reserve());
    must(await house.baton.groups.edit(ADMIN, "db", { windows: [window(3)] }));
    await house.beats(1, a, b, c);
    // It is told not to go on; one that has not heard it yet is refused.
    expect(a.orders).toMatchObject({ turn: null, waiting: { code: "outside-window" } });
    const refused = await a.commit(token);
    expect(code(refused)).toBe("outside-window");
    const reason = { code: "outside-window", message: "The maintenance window is closed." };
    a.words = [{ token, jobId: a.orders?.desired?.jobId ?? "", word: "not-acted", reason }];
    await house.beats(1, a, b, c);
    must(await house.baton.groups.edit(ADMIN, "db", { windows: [] }));
    await house.beats(1, a, b, c);
  }
  const place = must(await house.baton.rollouts.get(id)).nodes.find(({ nodeId }) => nodeId === a.id);
  expect(place?.status).toBe("updating");
  await a.updateWell([b, c]);
});

test("a freeze that was answered is in force: a commit decided before it is decided again", async () => {
  await using house = await House.build();
  const { a } = await ready(house);
  const { token } = must(await a.reserve());
  const apply = house.store.apply.bind(house.store);
  let frozen = false;
  house.store.apply = async (changes) => {
    if (!frozen && changes.some((change) => change.kind === "lease")) {
      frozen = true;
      must(await house.baton.policy.freeze(ADMIN, { reason: "stop" }));
    }
    return apply(changes);
  };
  expect(code(await a.commit(token))).toBe("paused");
  expect(must(await house.baton.leases.view("db")).holder?.phase).toBe("reserved");
});

test("what is in flight finishes in a freeze, and nobody follows", async () => {
  await using house = await House.build();
  const { a, b, c, id } = await ready(house);
  const token = await a.goDown();
  must(await house.baton.groups.freeze(ADMIN, "db", { reason: "the database is being moved" }));
  await a.start(buildOf("1.1.0"));
  await house.beats(3, a, b, c);
  expect(await a.confirm()).toBe(true);
  await house.beats(2, a, b, c);
  expect(token).toBe(1);
  const { status, nodes } = must(await house.baton.rollouts.get(id));
  expect(status).toBe("running");
  expect(nodes.map((node) => node.status).sort()).toEqual(["preparing", "preparing", "succeeded"]);
  expect(b.orders?.waiting).toMatchObject({ code: "paused" });
  must(await house.baton.groups.unfreeze(ADMIN, "db"));
  await house.beats(2, a, b, c);
  expect([b, c].filter(({ orders }) => orders?.turn != null)).toHaveLength(1);
});

test("a freeze ends by itself when its time has come, and the coordinator writes down that it did", async () => {
  await using house = await House.build();
  const { a, b, c } = await ready(house);
  const until = house.clock.now() + HOUR_MS;
  must(await house.baton.policy.freeze(ADMIN, { reason: "lunch", until }));
  must(await house.baton.groups.freeze(ADMIN, "db", { reason: "lunch", until }));
  expect(code(await house.baton.policy.freeze(ADMIN, { reason: "late", until: house.clock.now() }))).toBe(
    "malformed",
  );
  expect(code(await a.reserve())).toBe("paused");
  house.clock.pass(HOUR_MS);
  expect(must(await house.baton.policy.get()).freeze).toBeNull();
  await house.beats(1, a, b, c);
  expect((await house.store.policy()).value.freeze).toBeNull();
  expect((await house.store.group("db"))?.value.freeze).toBeNull();
  must(await a.reserve());
  const lifted = (await house.baton.audit.list(20)).filter(({ action }) => action.endsWith("unfrozen"));
  expect(lifted.map(({ actor, action, subject, after }) => ({ actor, action, subject, after }))).toEqual([
    { actor: "coordinator", action: "group.unfrozen", subject: "db", after: null },
    { actor: "coordinator", action: "policy.unfrozen", subject: "fleet", after: null },
  ]);
});

test("freezing twice the same way is one freeze, lifting twice one lifting, and both are in the audit log", async () => {
  await using house = await House.build();
  for (let times = 0; times < 2; times += 1) must(await house.baton.policy.freeze(ADMIN, { reason: "x" }));
  for (let times = 0; times < 2; times += 1) must(await house.baton.policy.unfreeze(ADMIN));
  const entries = await house.baton.audit.list(20);
  expect(entries.map(({ action, before, after }) => ({ action, before, after }))).toMatchObject([
    { action: "policy.unfrozen", before: { reason: "x", by: "ada" }, after: null },
    { action: "policy.frozen", before: null, after: { reason: "x", until: null, by: "ada" } },
  ]);
});

test("an operator's rollback waits for the window as well, and a group's own windows stand in place of the fleet's", async () => {
  await using house = await House.build();
  const [a] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  a.holdings = { ...a.holdings, backup: buildOf("0.9.0") };
  await a.beat();
  must(await house.baton.policy.edit(ADMIN, { windows: [window(12)] }));
  must(await house.baton.nodes.start(ADMIN, a.id, "rollback", {}));
  await a.prepare();
  expect(a.orders?.waiting?.code).toBe("outside-window");
  expect(code(await a.reserve(buildOf("0.9.0")))).toBe("outside-window");
  must(await house.baton.groups.edit(ADMIN, "db", { windows: [] }));
  must(await a.reserve(buildOf("0.9.0")));
});

test("windows that cannot be are refused, and leave what was there", async () => {
  await using house = await House.build();
  must(await house.baton.groups.create(ADMIN, { name: "db" }));
  const bad = [
    ["cron-invalid", { ...window(3), cron: "0 25 * * *" }],
    ["window-never-opens", { ...window(3), cron: "0 3 30 2 *" }],
    ["timezone-unknown", { ...window(3), timezone: "Mars/Olympus" }],
  ] as const;
  for (const [expected, each] of bad) {
    expect(code(await house.baton.policy.edit(ADMIN, { windows: [window(3), each] }))).toBe(expected);
    expect(code(await house.baton.groups.edit(ADMIN, "db", { windows: [each] }))).toBe(expected);
  }
  expect(must(await house.baton.policy.get()).windows).toEqual([]);
  expect(must(await house.baton.groups.get("db")).windows).toBeNull();
  expect(code(await house.baton.policy.edit(ADMIN, { rollout: { stages: [1, 0.5] } }))).toBe(
    "stages-out-of-order",
  );
});

test("a rollout takes the fleet's policy for what it is not told", async () => {
  await using house = await House.build();
  await house.group("web", "independent", ["a", "b"], "1.0.0");
  house.shelf.put("1.1.0");
  must(await house.baton.policy.edit(ADMIN, { rollout: { concurrency: 7, threshold: 0.5 } }));
  const { policy } = must(
    await house.baton.rollouts.start(ADMIN, { selection: { all: true }, policy: { threshold: 0.1 } }),
  );
  expect(policy).toMatchObject({ concurrency: 7, threshold: 0.1 });
});
