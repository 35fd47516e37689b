/** What operators and nodes do that nobody expects: huge numbers, clocks that are set, acts between two reads. */
import { expect, test } from "vitest";
import { ADMIN, code, House, must, three } from "./house.ts";
import { names, rollOut } from "./rolling.ts";
import { buildOf } from "./shelf.ts";

const HOUR_MS = 3_600_000;

test("a freeze until a time that no calendar has is refused, and the fleet goes on", async () => {
  await using house = await House.build();
  for (const version of ["1.0.0", "1.1.0"]) house.shelf.put(version);
  const [a] = await house.group("web", "independent", ["a"], "1.0.0");
  if (a === undefined) throw new Error("no agent");
  for (const until of [8_640_000_000_000_001, 1e300, Number.MAX_SAFE_INTEGER]) {
    expect(code(await house.baton.policy.freeze(ADMIN, { reason: "x", until }))).toBe("malformed");
    expect(code(await house.baton.groups.freeze(ADMIN, "web", { reason: "x", until }))).toBe("malformed");
  }
  must(await house.baton.policy.freeze(ADMIN, { reason: "x", until: 8_640_000_000_000_000 }));
  expect(must(await house.baton.groups.get("web")).gate?.code).toBe("paused");
});

test("a rollout taken back after the wall clock was set back stays taken back", async () => {
  await using house = await House.build();
  for (const version of ["1.0.0", "1.1.0"]) house.shelf.put(version);
  const agents = await house.group("web", "independent", ["a", "b"], "1.0.0");
  const selection = { groups: ["web"] };
  const policy = { stages: [1], concurrency: 5 };
  const { id } = must(await house.baton.rollouts.start(ADMIN, { selection, release: "1.1.0", policy }));
  expect(names(await rollOut(house, agents))).toHaveLength(1);
  house.clock.setWall(house.clock.now() - HOUR_MS);
  const [a] = agents;
  if (a === undefined) throw new Error("no agent");
  // Only one of them can go back, so that the group itself is still meant to be where it was.
  const b = agents[1];
  if (b !== undefined) b.holdings = { ...b.holdings, backup: null };
  await house.beats(1, ...agents);
  must(await house.baton.rollouts.rollback(ADMIN, id));
  await rollOut(house, agents);
  expect(a.runs.version).toBe("1.0.0");
  a.holdings = { ...a.holdings, hold: false };
  await house.beats(4, ...agents);
  expect(must(await house.baton.nodes.get(a.id)).desired).toBe("1.0.0");
  expect(a.orders?.desired ?? null).toBeNull();
});

test("who was updated by name after the wall clock was set back stays there", async () => {
  await using house = await House.build();
  for (const version of ["1.0.0", "1.1.0"]) house.shelf.put(version);
  const [a] = await house.group("web", "independent", ["a"], "1.0.0");
  if (a === undefined) throw new Error("no agent");
  must(await house.baton.rollouts.start(ADMIN, { selection: { groups: ["web"] }, release: "1.0.0" }));
  await house.beats(2, a);
  expect(must(await house.baton.groups.get("web")).desired).toBe("1.0.0");
  house.clock.setWall(house.clock.now() - HOUR_MS);
  must(await house.baton.nodes.start(ADMIN, a.id, "update", { release: "1.1.0" }));
  await house.beats(1, a);
  await a.updateWell([]);
  await house.beats(4, a);
  expect(must(await house.baton.nodes.get(a.id)).desired).toBe("1.1.0");
  expect(a.orders?.desired ?? null).toBeNull();
});

test("a rollout that completes after the wall clock was set back is what its nodes are to be on", async () => {
  await using house = await House.build();
  for (const version of ["1.0.0", "1.1.0", "1.2.0"]) house.shelf.put(version);
  const agents = await house.group("web", "independent", ["a"], "1.0.0");
  const [a] = agents;
  if (a === undefined) throw new Error("no agent");
  must(
    await house.baton.rollouts.start(ADMIN, {
      selection: { nodes: [a.id] },
      release: "1.1.0",
      policy: { stages: [1] },
    }),
  );
  await rollOut(house, agents);
  house.clock.setWall(house.clock.now() - HOUR_MS);
  must(
    await house.baton.rollouts.start(ADMIN, {
      selection: { groups: ["web"] },
      release: "1.2.0",
      policy: { stages: [1] },
    }),
  );
  await rollOut(house, agents);
  await house.beats(4, a);
  expect(must(await house.baton.nodes.get(a.id)).desired).toBe("1.2.0");
  expect(a.orders?.desired ?? null).toBeNull();
});

test("a promotion after the wall clock was set back moves nobody who is there", async () => {
  await using house = await House.build();
  for (const version of ["1.0.0", "1.1.0"]) house.shelf.put(version);
  must(await house.baton.channels.put(ADMIN, "stable", {}));
  const agents = await house.group("web", "independent", ["a", "b"], "1.0.0");
  house.clock.setWall(house.clock.now() - HOUR_MS);
  must(await house.baton.groups.edit(ADMIN, "web", { channel: "stable" }));
  must(await house.baton.channels.promote(ADMIN, "stable", { release: "1.1.0" }));
  await house.beats(4, ...agents);
  expect(agents.map(({ orders }) => orders?.desired ?? null)).toEqual([null, null]);
});

test("an edit of a channel that was removed meanwhile does not make it anew", async () => {
  await using house = await House.build();
  must(await house.baton.channels.put(ADMIN, "stable", {}));
  must(await house.baton.channels.remove(ADMIN, "stable"));
  for (const tag of ['"abc"', "*"]) {
    expect(code(await house.baton.channels.put(ADMIN, "stable", { startOnPublish: true }, tag))).toBe(
      "precondition-failed",
    );
  }
  expect(await house.baton.channels.list()).toEqual([]);
});

test("a coordinator that dies between a promotion's rollout and noting it raises no alert about it", async () => {
  await using house = await House.build();
  for (const version of ["1.0.0", "1.1.0"]) house.shelf.put(version);
  await house.group("web", "independent", ["a", "b"], "1.0.0");
  must(await house.baton.channels.put(ADMIN, "stable", { startOnPublish: true, selection: { all: true } }));
  const { store } = house;
  const apply = store.apply.bind(store);
  let died = false;
  store.apply = async (changes) => {
    if (died) throw new Error("the machine is gone");
    const applied = await apply(changes);
    died = changes.some(({ kind }) => kind === "rollout");
    return applied;
  };
  await house.baton.channels.promote(ADMIN, "stable", { release: "1.1.0" }).catch(() => null);
  expect(died).toBe(true);
  store.apply = apply;
  await house.restart();
  for (let tick = 0; tick < 3; tick += 1) {
    house.clock.pass(1_000);
    await house.baton.tick();
  }
  expect(await house.baton.rollouts.list()).toHaveLength(1);
  expect(await house.baton.alerts.list()).toEqual([]);
});

test("a promotion whose channel no longer starts rollouts starts none", async () => {
  await using house = await House.build();
  for (const version of ["1.0.0", "1.1.0"]) house.shelf.put(version);
  await house.group("web", "independent", ["a", "b"], "1.0.0");
  must(await house.baton.channels.put(ADMIN, "stable", { startOnPublish: true, selection: { all: true } }));
  const { store } = house;
  const apply = store.apply.bind(store);
  store.apply = (changes) =>
    changes.some(({ kind }) => kind === "rollout") ? Promise.reject(new Error("disk full")) : apply(changes);
  await house.baton.channels.promote(ADMIN, "stable", { release: "1.1.0" }).catch(() => null);
  must(await house.baton.channels.put(ADMIN, "stable", { startOnPublish: false }));
  store.apply = apply;
  house.clock.pass(1_000);
  await house.baton.tick();
  expect(await house.baton.rollouts.list()).toEqual([]);
});

test.each([
  ["change its mode", (house: House) => house.baton.groups.edit(ADMIN, "web", { mode: "quorum" })],
  ["lose a node", (house: House, id: string) => house.baton.nodes.edit(ADMIN, id, { group: "other" })],
] as const)("a group does not %s under a lease that is taken at that very moment", async (_, act) => {
  await using house = await House.build();
  for (const version of ["1.0.0", "1.1.0"]) house.shelf.put(version);
  must(await house.baton.groups.create(ADMIN, { name: "other", mode: "independent" }));
  const [a, b] = await house.group("web", "independent", ["a", "b"], "1.0.0");
  if (a === undefined || b === undefined) throw new Error("no agents");
  // It goes back by itself, without a job that anybody knows of before.
  b.holdings = { ...b.holdings, backup: buildOf("1.1.0") };
  await house.beats(1, a, b);
  const { store } = house;
  const lease = store.lease.bind(store);
  let taken = "";
  store.lease = async (group) => {
    const read = await lease(group);
    if (taken === "" && group === "web") {
      taken = "being taken";
      taken = code(await b.reserve()) || "taken";
    }
    return read;
  };
  expect(code(await act(house, b.id))).not.toBe("");
  expect(taken).toBe("taken");
});

test("to take back a rollout of a group that has become a quorum group goes by its rules now", async () => {
  await using house = await House.build();
  for (const version of ["1.0.0", "1.1.0"]) house.shelf.put(version);
  const agents = three(await house.group("db", "independent", ["a", "b", "c"], "1.0.0"));
  const selection = { groups: ["db"] };
  const policy = { stages: [1], concurrency: 5 };
  const { id } = must(await house.baton.rollouts.start(ADMIN, { selection, release: "1.1.0", policy }));
  expect(await rollOut(house, agents)).toHaveLength(1);
  must(await house.baton.groups.edit(ADMIN, "db", { mode: "quorum" }));
  must(await house.baton.rollouts.rollback(ADMIN, id));
  await house.beats(1, ...agents);
  for (const agent of agents) await agent.prepare();
  await house.beats(1, ...agents);
  const [back] = await house.baton.rollouts.list();
  if (back === undefined) throw new Error("no rollback");
  const { nodes } = must(await house.baton.rollouts.get(back.id));
  expect(nodes.map(({ status }) => status).sort()).toEqual(["preparing", "preparing", "updating"]);
});

test("a rollback that was cancelled half-way can be begun anew", async () => {
  await using house = await House.build();
  for (const version of ["1.0.0", "1.1.0"]) house.shelf.put(version);
  const agents = await house.group("web", "independent", ["a", "b"], "1.0.0");
  const selection = { groups: ["web"] };
  const policy = { stages: [1], concurrency: 5 };
  const { id } = must(await house.baton.rollouts.start(ADMIN, { selection, release: "1.1.0", policy }));
  await rollOut(house, agents);
  const first = must(await house.baton.rollouts.rollback(ADMIN, id));
  must(await house.baton.rollouts.cancel(ADMIN, first.id));
  const second = must(await house.baton.rollouts.rollback(ADMIN, id));
  expect(second.id).not.toBe(first.id);
  await rollOut(house, agents);
  expect(agents.map(({ runs }) => runs.version)).toEqual(["1.0.0", "1.0.0"]);
});

test("a node that claims the last token there is does not keep its group from ever being given another", async () => {
  await using house = await House.build();
  for (const version of ["1.0.0", "1.1.0"]) house.shelf.put(version);
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  const token = Number.MAX_SAFE_INTEGER;
  a.journal = { kind: "swapping", token, jobId: "j-000000000000", from: a.runs, to: buildOf("1.1.0") };
  await a.beat();
  expect(must(await house.baton.leases.view("db")).holder?.nodeId).toBe(a.id);
  must(await house.baton.nodes.remove(ADMIN, a.id));
  const d = await house.join("db", "d", "1.0.0");
  must(await house.baton.nodes.start(ADMIN, b.id, "update", { release: "1.1.0" }));
  await house.beats(2, b, c, d);
  await b.prepare();
  const reserved = must(await b.reserve());
  expect(Number.isSafeInteger(reserved.token)).toBe(true);
  must(await house.baton.leases.cancel(b.id, "db", { session: b.session, token: reserved.token }));
  expect(must(await b.reserve()).token).toBe(reserved.token + 1);
});

test("no labels at all are nobody, and not everybody", async () => {
  await using house = await House.build();
  house.shelf.put("1.1.0");
  await house.group("web", "independent", ["a", "b"], "1.0.0");
  expect(code(await house.baton.rollouts.start(ADMIN, { selection: { labels: {} } }))).toBe(
    "empty-selection",
  );
});

test.each(["revoke", "remove"] as const)(
  "a connection that is attached only after a %s of its node is closed when it says hello again",
  async (act) => {
    await using house = await House.build();
    must(await house.baton.groups.create(ADMIN, { name: "web" }));
    const a = await house.join("web", "a", "1.0.0");
    must(await house.baton.nodes[act](ADMIN, a.id));
    let closed = 0;
    house.baton.sessions.attach(a.id, {
      send: () => undefined,
      superseded: () => undefined,
      revoked: () => {
        closed += 1;
      },
    });
    const [answer] = await house.baton.sessions.receive(a.id, [a.hello]);
    expect(answer).toMatchObject({ type: "refused", code: "unknown-session" });
    expect(closed).toBe(1);
  },
);

test("who failed to catch up before the wall clock was set back is tried again", async () => {
  await using house = await House.build();
  for (const version of ["1.0.0", "1.1.0"]) house.shelf.put(version);
  const [a] = await house.group("web", "independent", ["a"], "1.1.0");
  if (a === undefined) throw new Error("no agent");
  must(
    await house.baton.rollouts.start(ADMIN, {
      selection: { groups: ["web"] },
      release: "1.1.0",
      retry: true,
    }),
  );
  await house.beats(1, a);
  await a.start(buildOf("1.0.0"));
  await house.beats(3, a);
  a.say("preparing", { failed: true, reason: { code: "no-space", message: "No space." } });
  await a.beat();
  a.say("idle");
  await house.beats(4, a);
  expect(a.orders?.desired ?? null).toBeNull();
  house.clock.setWall(house.clock.now() - 1_000 * HOUR_MS);
  await house.beats(4, a);
  expect(a.orders?.desired?.release).toBe("1.1.0");
});
