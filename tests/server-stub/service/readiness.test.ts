import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DEFAULTS } from "../../../protocol/defaults.ts";
import { createClockWatch } from "../../../server-stub/service/clock-watch.ts";
import { createCoordinator } from "../../../server-stub/service/create.ts";
import { judgeReadiness, MIN_FREE_BYTES } from "../../../server-stub/service/readiness.ts";
import { openMemoryStore } from "../../../server-stub/store/memory/store.ts";
import { watchedStore, watchWrites } from "../../../server-stub/store/watched.ts";
import { House } from "./house.ts";
import { SettableClock } from "./settable-clock.ts";
import { Shelf } from "./shelf.ts";

const FINE = {
  storeAnswers: true,
  writeFault: null,
  freeBytes: null,
  expired: [],
  clockJumpedMs: null,
  sinceTickMs: 0,
  unknownForMs: 0,
};

const silent = () => undefined;
const SILENT = { debug: silent, info: silent, warn: silent, error: silent };

describe("readiness", () => {
  test.each([
    ["all is well", {}, []],
    ["the store does not answer", { storeAnswers: false }, ["The store does not answer."]],
    [
      "it cannot be written to",
      { writeFault: "disk I/O error" },
      ["The store cannot be written to: disk I/O error."],
    ],
    [
      "the disk is full",
      { freeBytes: MIN_FREE_BYTES - 1 },
      ["The disk of the state directory has 63 MiB left."],
    ],
    ["there is just enough room", { freeBytes: MIN_FREE_BYTES }, []],
    [
      "metadata has expired",
      { expired: [{ role: "root", expires: "2026-01-01T00:00:00Z" }] },
      ["The root metadata expired on 2026-01-01T00:00:00Z."],
    ],
    [
      "the clock was set back",
      { clockJumpedMs: -90_000 },
      ["The wall clock was set back by 90 s in the last ten minutes."],
    ],
    ["the engine is stuck", { sinceTickMs: 31_000 }, ["The engine has not come round for 31 s."]],
  ])("when %s", (_what, facts, reasons) => {
    expect(judgeReadiness({ ...FINE, ...facts }).reasons).toEqual(reasons);
  });

  test("that nobody is known yet is no reason, but is said", () => {
    expect(judgeReadiness({ ...FINE, unknownForMs: 14_200 })).toEqual({
      reasons: [],
      notes: ["Nobody's presence is known for another 15 s after the start."],
    });
  });
});

describe("the wall clock", () => {
  test("jumps when it leaves the steady clock at once, and not when it drifts", () => {
    const clock = new SettableClock();
    const watch = createClockWatch(clock);
    for (let looks = 0; looks < 100; looks += 1) {
      clock.pass(1_000);
      clock.setWall(clock.now() + 900);
      expect(watch.look()).toBeNull();
    }
    clock.setWall(clock.now() - 120_000);
    expect(watch.look()).toBe(-120_000);
    clock.pass(600_000);
    expect(watch.look()).toBe(-120_000);
    clock.pass(1);
    expect(watch.look()).toBeNull();
  });
});

describe("a coordinator", () => {
  let house: House;
  beforeEach(async () => {
    house = await House.build();
  });
  afterEach(() => house[Symbol.asyncDispose]());

  test("is ready at once, knows everybody after three intervals, and is not ready when the engine stands", async () => {
    expect(await house.baton.readiness()).toEqual({ reasons: [], notes: [expect.stringContaining("15 s")] });
    house.clock.pass(DEFAULTS.heartbeatMs * DEFAULTS.offlineAfterMissed);
    expect(await house.baton.readiness()).toEqual({ reasons: [], notes: [] });
    house.clock.pass(30_000);
    expect((await house.baton.readiness()).reasons).toEqual([expect.stringContaining("engine")]);
    await house.baton.tick();
    expect((await house.baton.readiness()).reasons).toEqual([]);
  });

  test("whose disk was full is ready again when it can write, without anything else happening", async () => {
    const clock = new SettableClock();
    const disk = openMemoryStore();
    let isFull = false;
    const apply = disk.apply.bind(disk);
    disk.apply = (changes) =>
      isFull ? Promise.reject(new Error("database or disk is full")) : apply(changes);
    const writes = watchWrites();
    const baton = await createCoordinator({
      store: watchedStore(disk, [writes.watch], () => clock.uptime()),
      storeFault: writes.fault,
      machine: {
        disk: async () => ({ freeBytes: isFull ? 0 : MIN_FREE_BYTES, totalBytes: 2 * MIN_FREE_BYTES }),
        certificate: async () => null,
      },
      repository: new Shelf(),
      clock,
      random: (bytes) => new Uint8Array(bytes),
      log: SILENT,
      timings: DEFAULTS,
    });
    isFull = true;
    await expect(
      baton.groups.create({ kind: "operator", id: "o", name: "a", role: "admin", from: "" }, { name: "web" }),
    ).rejects.toThrow("full");
    clock.pass(10_000);
    await baton.tick();
    expect((await baton.readiness()).reasons).toEqual([
      "The store cannot be written to: database or disk is full.",
      "The disk of the state directory has 0 MiB left.",
    ]);
    isFull = false;
    clock.pass(10_000);
    await baton.tick();
    expect((await baton.readiness()).reasons).toEqual([]);
    await baton.close();
  });
});
