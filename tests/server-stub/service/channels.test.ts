import { expect, test } from "vitest";
import type { Principal } from "../../../server-stub/service/coordinator.ts";
import { ADMIN, code, House, must } from "./house.ts";
import { buildOf } from "./shelf.ts";

const GRACE: Principal = { kind: "operator", id: "o-2", name: "grace", role: "operator", from: "::1" };

/** Two independent nodes in a group that follows `stable`, which is at 1.0.0, as they are. */
async function following(house: House) {
  house.shelf.put("1.0.0");
  must(await house.baton.channels.put(ADMIN, "stable", {}));
  must(await house.baton.channels.promote(GRACE, "stable", { release: "1.0.0" }));
  const agents = await house.group("web", "independent", ["a", "b"], "1.0.0");
  must(await house.baton.groups.edit(ADMIN, "web", { channel: "stable" }));
  return agents;
}

const open = async (house: House) =>
  (await house.baton.alerts.list()).filter((alert) => alert.resolvedAt === null);

test("a promotion gives no job to anybody who is there, and says that a rollout is waited for", async () => {
  await using house = await House.build();
  const agents = await following(house);
  house.shelf.put("1.1.0");
  house.clock.pass(1_000);
  must(await house.baton.channels.promote(GRACE, "stable", { release: "1.1.0" }));
  await house.beats(5, ...agents);
  for (const agent of agents) {
    expect(agent.orders?.desired ?? null).toBeNull();
    expect(must(await house.baton.nodes.get(agent.id))).toMatchObject({
      desired: "1.1.0",
      behind: true,
      latest: "1.1.0",
      outdated: true,
      jobId: null,
      reason: {
        code: "waits-for-rollout",
        message: "Channel stable was moved to 1.1.0; a rollout brings it there.",
      },
    });
  }
  expect(must(await house.baton.groups.get("web"))).toMatchObject({ channel: "stable", desired: "1.1.0" });
});

test("nor does a group's decision to follow one; but who joins after both is brought there", async () => {
  await using house = await House.build();
  house.shelf.put("1.0.0");
  const [old] = await house.group("web", "independent", ["a"], "0.9.0");
  must(await house.baton.channels.put(ADMIN, "stable", {}));
  must(await house.baton.channels.promote(GRACE, "stable", { release: "1.0.0" }));
  house.clock.pass(1_000);
  must(await house.baton.groups.edit(ADMIN, "web", { channel: "stable" }));
  house.clock.pass(1_000);
  const late = await house.join("web", "late", "0.9.0");
  if (old === undefined) throw new Error("nobody is there");
  await house.beats(3, old, late);
  expect(old.orders?.desired ?? null).toBeNull();
  expect(late.orders?.desired).toMatchObject({ release: "1.0.0", cause: "catch-up" });
});

test("who is asked for by name goes to where its channel is", async () => {
  await using house = await House.build();
  const [a] = await following(house);
  house.shelf.put("1.1.0");
  house.shelf.put("1.2.0");
  house.clock.pass(1_000);
  must(await house.baton.channels.promote(GRACE, "stable", { release: "1.1.0" }));
  if (a === undefined) throw new Error("nobody is there");
  expect(must(await house.baton.nodes.start(ADMIN, a.id, "update", {})).release).toBe("1.1.0");
});

test("a rollout of who follows a channel is to its release, though a newer one is published", async () => {
  await using house = await House.build();
  await following(house);
  await house.group("db", "independent", ["other"], "1.0.0");
  house.shelf.put("1.1.0");
  house.shelf.put("1.2.0");
  must(await house.baton.channels.promote(GRACE, "stable", { release: "1.1.0" }));
  const rollout = must(await house.baton.rollouts.start(ADMIN, { selection: { channel: "stable" } }));
  expect(rollout.release).toBe("1.1.0");
  expect(rollout.nodes.map(({ name }) => name).sort()).toEqual(["a", "b"]);
});

test("what a rollout has placed, only a rollout moves", async () => {
  await using house = await House.build();
  const agents = await following(house);
  house.shelf.put("1.1.0");
  house.shelf.put("1.2.0");
  const policy = { stages: [1] };
  must(await house.baton.rollouts.start(ADMIN, { selection: { groups: ["web"] }, release: "1.1.0", policy }));
  await house.beats(1, ...agents);
  for (const agent of agents) await agent.prepare();
  await house.beats(1, ...agents);
  for (const agent of agents) {
    await agent.goDown();
    await agent.start(buildOf("1.1.0"));
  }
  await house.beats(3, ...agents);
  for (const agent of agents) expect(await agent.confirm()).toBe(true);
  await house.beats(2, ...agents);
  expect(must(await house.baton.groups.get("web")).desired).toBe("1.1.0");
  house.clock.pass(1_000);
  must(await house.baton.channels.promote(GRACE, "stable", { release: "1.2.0" }));
  const late = await house.join("web", "late", "1.0.0");
  await house.beats(3, ...agents, late);
  const nodes = await house.baton.nodes.list({ group: "web" });
  expect(nodes.map(({ desired, behind, latest, outdated }) => [desired, behind, latest, outdated])).toEqual([
    ["1.1.0", false, "1.2.0", true],
    ["1.1.0", false, "1.2.0", true],
    ["1.1.0", true, "1.2.0", true],
  ]);
  expect(late.orders?.desired?.release).toBe("1.1.0");
});

test("with startOnPublish a promotion starts a rollout of who follows it, with the channel's policy", async () => {
  await using house = await House.build();
  await following(house);
  house.shelf.put("1.1.0");
  const policy = { concurrency: 3 };
  must(await house.baton.channels.put(ADMIN, "stable", { startOnPublish: true, policy }));
  must(await house.baton.channels.promote(GRACE, "stable", { release: "1.1.0" }));
  // Said again, it is nothing new.
  must(await house.baton.channels.promote(GRACE, "stable", { release: "1.1.0" }));
  const rollouts = await house.baton.rollouts.list();
  expect(rollouts).toHaveLength(1);
  expect(rollouts[0]).toMatchObject({
    release: "1.1.0",
    selection: { channel: "stable" },
    policy: { concurrency: 3 },
    startedBy: "grace",
  });
  expect(await open(house)).toEqual([]);
});

test("a start that is refused leaves the promotion, and is told; the next promotion resolves it", async () => {
  await using house = await House.build();
  const agents = await following(house);
  for (const version of ["1.1.0", "1.2.0"]) house.shelf.put(version);
  const { id } = must(
    await house.baton.rollouts.start(ADMIN, { selection: { all: true }, release: "1.1.0" }),
  );
  must(await house.baton.channels.put(ADMIN, "stable", { startOnPublish: true }));
  const promoted = must(await house.baton.channels.promote(GRACE, "stable", { release: "1.1.0" }));
  expect(promoted.release).toBe("1.1.0");
  expect(await open(house)).toMatchObject([
    {
      kind: "rollout_not_started",
      subject: "stable",
      message: expect.stringMatching(
        /^Channel stable was moved to 1.1.0, and no rollout was started: Rollout r-/,
      ),
    },
  ]);
  const [entry] = await house.baton.audit.list(1);
  expect(entry).toMatchObject({
    actor: "operator grace",
    action: "channel.start-refused",
    after: { release: "1.1.0", code: "rollout-active" },
  });
  must(await house.baton.rollouts.cancel(ADMIN, id));
  await house.beats(2, ...agents);
  must(await house.baton.channels.promote(GRACE, "stable", { release: "1.2.0" }));
  expect(await open(house)).toEqual([]);
  expect((await house.baton.rollouts.list())[0]).toMatchObject({ release: "1.2.0", status: "running" });
});

test("a coordinator that dies between promotion and start makes up for it, once", async () => {
  await using house = await House.build();
  await following(house);
  house.shelf.put("1.1.0");
  must(await house.baton.channels.put(ADMIN, "stable", { startOnPublish: true }));
  const apply = house.store.apply.bind(house.store);
  house.store.apply = (changes) =>
    changes.some(({ kind }) => kind === "rollout") ? Promise.reject(new Error("power cut")) : apply(changes);
  await expect(house.baton.channels.promote(GRACE, "stable", { release: "1.1.0" })).rejects.toThrow(
    "power cut",
  );
  await house.restart();
  expect(must(await house.baton.channels.get("stable")).release).toBe("1.1.0");
  for (let look = 0; look < 3; look += 1) {
    house.clock.pass(1_000);
    await house.baton.tick();
  }
  expect(await house.baton.rollouts.list()).toMatchObject([{ release: "1.1.0", startedBy: "grace" }]);
  expect(await open(house)).toEqual([]);
});

test("refused is what cannot be, and nothing is written of it", async () => {
  await using house = await House.build();
  await following(house);
  const { channels, groups, rollouts } = house.baton;
  const entries = (await house.baton.audit.list(100)).length;
  expect(code(await channels.promote(GRACE, "beta", { release: "1.0.0" }))).toBe("not-found");
  expect(code(await channels.promote(GRACE, "stable", { release: "9.0.0" }))).toBe("no-release");
  expect(code(await channels.put(ADMIN, "stable", { selection: {} }))).toBe("empty-selection");
  expect(code(await channels.put(ADMIN, "stable", { policy: { stages: [0.5] } }))).toBe(
    "stages-out-of-order",
  );
  expect(code(await channels.put(ADMIN, "stable", { startOnPublish: true }, '"stale"'))).toBe(
    "precondition-failed",
  );
  expect(code(await channels.remove(ADMIN, "stable"))).toBe("channel-in-use");
  expect(code(await groups.edit(ADMIN, "web", { channel: "beta" }))).toBe("not-found");
  expect(code(await rollouts.start(ADMIN, { selection: { channel: "beta" } }))).toBe("not-found");
  must(await channels.put(ADMIN, "stable", {}));
  must(await channels.promote(GRACE, "stable", { release: "1.0.0" }));
  expect((await house.baton.audit.list(100)).length).toBe(entries);
  must(await groups.edit(ADMIN, "web", { channel: null }));
  must(await channels.remove(ADMIN, "stable"));
  expect(code(await channels.get("stable"))).toBe("not-found");
});

test("a channel is not removed under a group that begins to follow it at that moment", async () => {
  await using house = await House.build();
  must(await house.baton.channels.put(ADMIN, "stable", {}));
  must(await house.baton.groups.create(ADMIN, { name: "web" }));
  const [follow, remove] = await Promise.all([
    house.baton.groups.edit(ADMIN, "web", { channel: "stable" }),
    house.baton.channels.remove(ADMIN, "stable"),
  ]);
  expect([code(follow), code(remove)].sort()).toEqual(follow.ok ? ["", "channel-in-use"] : ["", "not-found"]);
});

test("latest is the newest for the platform where no channel is followed", async () => {
  await using house = await House.build();
  const [a] = await house.group("web", "independent", ["a"], "1.0.0");
  if (a === undefined) throw new Error("nobody is there");
  expect(must(await house.baton.nodes.get(a.id))).toMatchObject({ latest: null, outdated: false });
  house.shelf.put("1.0.0");
  house.shelf.put("1.1.0");
  house.shelf.put("1.2.0", "linux-arm64");
  house.shelf.put("2.0.0-rc.1");
  expect(must(await house.baton.nodes.get(a.id))).toMatchObject({
    desired: null,
    behind: false,
    latest: "1.1.0",
    outdated: true,
  });
  a.runs = buildOf("0.0.0-dev");
  await a.connect();
  expect(must(await house.baton.nodes.get(a.id)).outdated).toBe(false);
});
