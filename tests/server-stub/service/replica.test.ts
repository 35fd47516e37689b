/** Several coordinators over one store, in one process, with a lock that the test gives away. */
import { expect, test } from "vitest";
import { DEFAULTS } from "../../../protocol/defaults.ts";
import { asOneOfSeveral } from "../../../server-stub/service/one-of-several.ts";
import type { Parts } from "../../../server-stub/service/parts.ts";
import { createReplica, NotInSeat } from "../../../server-stub/service/replica.ts";
import { openMemoryStore } from "../../../server-stub/store/memory/store.ts";
import { ADMIN, must } from "./house.ts";
import { SettableClock } from "./settable-clock.ts";
import { Shelf } from "./shelf.ts";

class Several {
  readonly store = openMemoryStore();
  readonly clock = new SettableClock();
  /** Who gets the seat when it asks. */
  turn = "a";
  drawn = 0;
  readonly read: string[] = [];

  async start(name: string) {
    const quiet = () => undefined;
    const parts: Parts = {
      store: this.store,
      repository: Object.assign(new Shelf(), {
        refresh: async () => void this.read.push(name),
      }),
      clock: this.clock,
      random: (bytes) => {
        this.drawn += 1;
        return new Uint8Array(bytes).fill(this.drawn);
      },
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      timings: DEFAULTS,
    };
    const lock = { take: async () => this.turn === name, release: async () => undefined };
    const replica = await createReplica(parts, lock, {
      address: () => `http://${name}`,
      elsewhere: async (kind) => (kind === "policy" ? { value: `as ${this.turn} shows it` } : null),
    });
    await replica.tick();
    return { replica, baton: asOneOfSeveral(replica) };
  }
}

test("who stands by knows who decides, and only reads; a stream of events goes on when the seat moves", async () => {
  const several = new Several();
  const a = await several.start("a");
  const b = await several.start("b");
  expect([a.replica.hasSeat(), b.replica.hasSeat()]).toEqual([true, false]);
  expect(b.replica.seat()).toEqual(a.replica.seat());
  expect(b.replica.seat()?.address).toBe("http://a");
  expect(await b.baton.readiness()).toMatchObject({
    reasons: [],
    notes: [expect.stringContaining("Another coordinator")],
  });

  const stream = must(await b.baton.events.open(ADMIN, { after: null, kinds: new Set(["group", "policy"]) }));
  must(await a.baton.groups.create(ADMIN, { name: "web" }));
  expect(await stream.next()).toMatchObject({
    kind: "event",
    json: expect.stringContaining('"subject":"web"'),
  });
  await expect(b.baton.groups.create(ADMIN, { name: "db" })).rejects.toThrow(NotInSeat);
  expect(must(await b.baton.groups.get("web"))).toMatchObject({ name: "web" });
  expect((await b.baton.census()).nodes).toEqual([]);
  must(await a.baton.policy.freeze(ADMIN, { reason: "because" }));
  expect(await stream.next()).toMatchObject({ json: expect.stringContaining("as a shows it") });

  several.turn = "b";
  await b.replica.tick();
  await a.replica.tick();
  expect([a.replica.hasSeat(), b.replica.hasSeat()]).toEqual([false, true]);
  expect(a.replica.seat()?.address).toBe("http://b");
  must(await b.baton.groups.create(ADMIN, { name: "db" }));
  expect(await stream.next()).toMatchObject({ json: expect.stringContaining('"subject":"db"') });
  await expect(a.baton.groups.create(ADMIN, { name: "late" })).rejects.toThrow(NotInSeat);
  expect(several.read).toEqual(["a", "b"]);
  await Promise.all([a.replica.close(), b.replica.close()]);
  expect(stream.signal.aborted).toBe(true);
});

test("who wakes up late is refused by the store, and stands by from its next look on", async () => {
  const several = new Several();
  const a = await several.start("a");
  several.turn = "b";
  const b = await several.start("b");
  // It has not looked again yet.
  expect(a.replica.hasSeat()).toBe(true);
  await expect(a.replica.checkSeat()).rejects.toThrow(NotInSeat);
  await expect(b.replica.checkSeat()).resolves.toBeUndefined();
  await expect(a.baton.groups.create(ADMIN, { name: "web" })).rejects.toThrow(NotInSeat);
  expect(a.replica.hasSeat()).toBe(false);
  await a.replica.tick();
  expect(a.replica.seat()).toEqual(b.replica.seat());
  await Promise.all([a.replica.close(), b.replica.close()]);
});

test("a token that is used where nobody writes is good there, and its use is not noted", async () => {
  const several = new Several();
  const a = await several.start("a");
  const b = await several.start("b");
  const { secret, token } = must(await a.baton.access.createToken(ADMIN, { name: "eve", role: "viewer" }));
  expect(await b.baton.access.authenticate(secret, "10.0.0.9")).toMatchObject({ id: token.id });
  expect((await b.baton.access.listTokens())[0]?.lastUsedAt).toBeNull();
  await Promise.all([a.replica.close(), b.replica.close()]);
});

test("while nobody is known to decide, or cannot be reached, a coordinator is not ready", async () => {
  const several = new Several();
  several.turn = "nobody";
  const { replica } = await several.start("a");
  expect((await asOneOfSeveral(replica).readiness()).reasons).toEqual(["No coordinator is known to decide."]);
  several.turn = "b";
  const b = await several.start("b");
  await replica.look();
  expect((await asOneOfSeveral(replica).readiness()).reasons).toEqual([]);
  const lost = asOneOfSeveral(replica, () => "connect ECONNREFUSED");
  expect((await lost.readiness()).reasons).toEqual([
    "The coordinator that decides cannot be reached: connect ECONNREFUSED.",
  ]);
  await Promise.all([replica.close(), b.replica.close()]);
});
