/** What followers are told, on a real store and a clock with hands. */
import { expect, test } from "vitest";
import type { EventKind, FleetEvent } from "../../../protocol/event.ts";
import type { Job } from "../../../protocol/job.ts";
import type { Node } from "../../../protocol/node.ts";
import type { EventStream } from "../../../server-stub/service/events/stream.ts";
import { ADMIN, House, must } from "./house.ts";

const follow = async (house: House, after: string | null = null, ...kinds: EventKind[]) =>
  must(await house.baton.events.open(ADMIN, { after, kinds: kinds.length === 0 ? null : new Set(kinds) }));

/** The next event, and the id that it can be resumed from. */
async function next<T = Node>(
  stream: EventStream,
): Promise<Omit<FleetEvent, "value"> & { at: number; mark: string | null; value: T }> {
  const item = await stream.next();
  if (item?.kind !== "event") throw new Error(`no event but ${JSON.stringify(item)}`);
  return { ...(JSON.parse(item.json) as FleetEvent & { value: T }), mark: item.id };
}

test("what is heard of a node and not written is told without an id, at most once a second", async () => {
  await using house = await House.build();
  const [one, two] = await house.group("web", "independent", ["one", "two"], "1.0.0");
  if (one === undefined || two === undefined) throw new Error("no agents");
  await house.beats(1, one, two);
  const stream = await follow(house);
  const { position } = stream;
  const say = async (agent: typeof one, detail: string): Promise<void> => {
    agent.health = { healthy: true, detail };
    await agent.beat();
    await house.baton.tick();
  };
  await say(one, "first");
  expect(await next(stream)).toMatchObject({
    mark: null,
    subject: one.id,
    value: { health: { detail: "first" } },
  });
  expect(stream.position, "who comes back loses nothing that is stored").toBe(position);
  await say(one, "second");
  await say(one, "third");
  await say(two, "other");
  expect(await next(stream)).toMatchObject({ subject: two.id, value: { health: { detail: "other" } } });
  house.clock.pass(1_000);
  await house.baton.tick();
  expect(await next(stream)).toMatchObject({ subject: one.id, value: { health: { detail: "third" } } });
  await one.beat();
  house.clock.pass(1_000);
  await house.baton.tick();
  const quiet = stream.next();
  must(await house.baton.groups.create(ADMIN, { name: "db" }));
  expect(await quiet, "a heartbeat that says nothing new is no news").toMatchObject({
    id: expect.any(String),
  });
  stream.close();
});

test("many waiting events of a subject are one, with what it is now; a job's node comes with it", async () => {
  await using house = await House.build();
  house.shelf.put("1.0.0");
  house.shelf.put("1.1.0");
  const [one] = await house.group("web", "independent", ["one"], "1.0.0");
  if (one === undefined) throw new Error("no agent");
  await house.beats(1, one);
  const stream = await follow(house, null, "job", "node");
  const job = must(await house.baton.nodes.start(ADMIN, one.id, "update", {}));
  for (const percent of [10, 20, 30]) {
    await one.beat();
    one.say("preparing", { step: "fetch", percent });
    await one.beat();
  }
  const first = await next<Job>(stream);
  expect(first).toMatchObject({ kind: "job", subject: job.id, value: { step: "fetch" } });
  expect(await next(stream)).toMatchObject({ kind: "node", subject: one.id, value: { jobId: job.id } });
  stream.close();
  expect(await stream.next()).toBeNull();
});

test("all followers of an event are shown what was read once", async () => {
  await using house = await House.build();
  const streams = [await follow(house), await follow(house), await follow(house)];
  must(await house.baton.groups.create(ADMIN, { name: "db" }));
  let reads = 0;
  const group = house.store.group.bind(house.store);
  house.store.group = (name) => {
    reads += 1;
    return group(name);
  };
  const said = await Promise.all(streams.map((stream) => next<{ name: string }>(stream)));
  expect(said.map(({ value }) => value.name)).toEqual(["db", "db", "db"]);
  const once = reads;
  const late = await follow(house, "0-0");
  await next(late);
  expect(reads).toBe(once);
  for (const stream of [...streams, late]) stream.close();
});

test("after a restore nothing is resumed, and after pruning only what is still there", async () => {
  await using house = await House.build();
  for (const name of ["a", "b", "c"]) must(await house.baton.groups.create(ADMIN, { name }));
  house.clock.pass(1_000);
  const oldest = await house.store.oldestEventId();
  expect(await house.store.prune("events", house.clock.now(), 2)).toBe(2);
  expect(await (await follow(house, `0-${oldest}`)).next()).toMatchObject({
    kind: "reset",
    reason: expect.stringContaining("no longer kept"),
  });
  expect(await next(await follow(house, `0-${oldest + 1}`))).toMatchObject({ subject: "c" });
  const last = `0-${await house.store.lastEventId()}`;
  await house.crash();
  await house.openRestored();
  const stream = await follow(house, last);
  expect(await stream.next()).toMatchObject({
    kind: "reset",
    id: expect.stringMatching(/^1-/),
    reason: expect.stringContaining("restored"),
  });
});

test("a stream that is waited on ends with the coordinator", async () => {
  await using house = await House.build();
  const stream = await follow(house);
  const waiting = stream.next();
  await house.crash();
  expect(await waiting).toBeNull();
});

test("a node that was stored as offline before a restart, and is not heard, is told of when it is offline again", async () => {
  await using house = await House.build();
  const [one, two] = await house.group("web", "independent", ["one", "two"], "1.0.0");
  if (one === undefined || two === undefined) throw new Error("no agents");
  await house.beats(1, one, two);
  await house.beats(20, two);
  expect(must(await house.baton.nodes.get(one.id)).presence).toBe("offline");
  await house.restart();
  expect(must(await house.baton.nodes.get(one.id)).presence).toBe("unknown");
  await two.connect();
  const stream = await follow(house, null, "node");
  const told = (async () => {
    for (;;) {
      const { subject, value } = await next(stream);
      if (subject === one.id) return value;
    }
  })();
  await house.beats(20, two);
  expect(await told).toMatchObject({ id: one.id, presence: "offline" });
  stream.close();
});

test("a changed policy is told as the API shows it", async () => {
  await using house = await House.build();
  const stream = await follow(house, null, "policy");
  const policy = must(await house.baton.policy.freeze(ADMIN, { reason: "holidays" }));
  expect(await next<unknown>(stream)).toMatchObject({
    kind: "policy",
    subject: expect.any(String),
    value: policy,
  });
  stream.close();
});
