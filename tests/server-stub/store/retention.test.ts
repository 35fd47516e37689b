/** What is let go of, and what is kept whatever its age: of every engine. */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { JobRecord } from "../../../server-stub/core/job/job.ts";
import type { Change } from "../../../server-stub/store/records.ts";
import { openSqliteStore } from "../../../server-stub/store/sqlite/open.ts";
import type { Store } from "../../../server-stub/store/store.ts";
import { ENGINES, freshStore } from "./engines.ts";
import { GROUP, JOB, NODE, ROLLOUT } from "./records.ts";

const job = (id: string, more: Partial<JobRecord>): Change => ({
  kind: "job",
  value: { ...JOB, id, status: "succeeded", endedAt: 10, ...more },
  expected: 0,
});
const lines = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    index,
    at: 1,
    source: "agent" as const,
    step: null,
    text: `line ${index}`,
  }));

describe.each(ENGINES)("retention in the %s store", (engine) => {
  let opened: Awaited<ReturnType<typeof freshStore>>;
  let store: Store;
  beforeEach(async () => {
    opened = await freshStore(engine);
    ({ store } = opened);
    await store.apply([
      { kind: "group", value: GROUP, expected: 0 },
      { kind: "node", value: NODE, expected: 0 },
    ]);
  });
  afterEach(() => opened[Symbol.asyncDispose]());
  const left = async (...ids: string[]) => {
    const jobs = await Promise.all(ids.map((id) => store.job(id)));
    return jobs.flatMap((each) => (each === null ? [] : [each.value.id]));
  };

  test("a job goes with its log, unless it is not over, not old, or its node's last", async () => {
    const gone = { ...NODE, id: "n-gone00000000", name: "gone", credentialHash: "gone" };
    await store.apply([
      { kind: "node", value: gone, expected: 0 },
      job("j-old", {}),
      job("j-young", { endedAt: 50 }),
      job("j-last", {}),
      job("j-removed", { nodeId: gone.id }),
      { kind: "log", jobId: "j-old", lines: lines(3) },
      { kind: "remove-node", id: gone.id, expected: 1 },
    ]);
    while ((await store.prune("jobs", 50, 10)) > 0);
    expect(await left("j-old", "j-young", "j-last", "j-removed")).toEqual(["j-young", "j-last"]);
    expect(await store.logLength("j-old")).toBe(0);
    expect((await store.lastJob(NODE.id))?.value.id).toBe("j-last");
  });

  test("a later diagnosis does not make a node's last job go", async () => {
    await store.apply([job("j-last", {}), job("j-diagnosis", { kind: "diagnose" })]);
    expect(await store.prune("jobs", 50, 10)).toBe(0);
    expect(await left("j-last", "j-diagnosis")).toEqual(["j-last", "j-diagnosis"]);
  });

  test("a job of a rollout is kept until the rollout is over", async () => {
    await store.apply([
      { kind: "rollout", value: ROLLOUT, expected: 0 },
      job("j-of-it", { rolloutId: ROLLOUT.id }),
      job("j-later", { endedAt: 60 }),
    ]);
    expect(await store.prune("jobs", 50, 10)).toBe(0);
    await store.apply([
      { kind: "rollout", value: { ...ROLLOUT, status: "completed", endedAt: 20 }, expected: 1 },
    ]);
    expect(await store.prune("jobs", 50, 10)).toBe(1);
    expect(await left("j-of-it", "j-later")).toEqual(["j-later"]);
  });

  test("a rollout goes when it ended long ago", async () => {
    const ended = (id: string, endedAt: number): Change => ({
      kind: "rollout",
      value: { ...ROLLOUT, id, status: "completed", endedAt },
      expected: 0,
    });
    await store.apply([
      ended("r-old", 10),
      { kind: "rollout", value: { ...ROLLOUT, id: "r-running" }, expected: 0 },
      ended("r-young", 60),
    ]);
    while ((await store.prune("rollouts", 50, 1)) > 0);
    expect(await store.rollout("r-old")).toBeNull();
    expect((await store.rollouts()).map(({ value }) => value.id)).toEqual(["r-young", "r-running"]);
  });

  test("audit entries go oldest first, no more than asked for, and numbers are not used again", async () => {
    const entry = (at: number): Change => ({
      kind: "audit",
      value: { at, actor: "a", action: "x", subject: "s", before: null, after: null, from: "" },
    });
    await store.apply([1, 2, 3, 4].map(entry));
    expect(await store.prune("audit", 4, 2)).toBe(2);
    expect((await store.audit(10)).map(({ at }) => at)).toEqual([4, 3]);
    expect(await store.prune("audit", 100, 10)).toBe(2);
    await store.apply([entry(9)]);
    expect((await store.audit(10)).map(({ id }) => id)).toEqual([5]);
  });

  test("an audit entry says which request it came of", async () => {
    const said = { at: 1, actor: "a", action: "x", subject: "s", before: null, after: null, from: "" };
    await store.apply([{ kind: "audit", value: { ...said, requestId: "q-1" } }]);
    await store.apply([{ kind: "audit", value: said }]);
    const [without, withOne] = await store.audit(10);
    expect(without).not.toHaveProperty("requestId");
    expect(withOne).toMatchObject({ requestId: "q-1" });
  });

  test("resolved alerts go, open ones stay, and are counted by their kind", async () => {
    const raise = (subject: string): Change => ({
      kind: "raise",
      alert: "node_offline",
      subject,
      message: "m",
      at: 1,
    });
    await store.apply([raise("a"), raise("b"), raise("c")]);
    expect(await store.countOpenAlerts()).toEqual([{ kind: "node_offline", count: 3 }]);
    const resolve = { kind: "resolve", alert: "node_offline", subject: "a", at: 10 } as const;
    await store.apply([resolve]);
    expect(await store.prune("alerts", 11, 10)).toBe(1);
    expect((await store.alerts({ state: "all", limit: 10 })).map(({ subject }) => subject)).toEqual([
      "c",
      "b",
    ]);
    expect(await store.countOpenAlerts()).toEqual([{ kind: "node_offline", count: 2 }]);
  });

  test("events go by their age and by their number, but for the newest", async () => {
    for (let count = 0; count < 5; count += 1)
      await store.apply([{ kind: "announce", event: "release", subject: `r${count}` }]);
    const ids = async () => (await store.changesSince(0, 100)).map(({ id }) => id);
    const newest = await store.lastEventId();
    expect(await store.prune("events", 0, 100, 3)).toBe(newest - 3);
    expect(await ids()).toEqual([newest - 2, newest - 1, newest]);
    expect(await store.prune("events", Number.MAX_SAFE_INTEGER, 1)).toBe(1);
    while ((await store.prune("events", Number.MAX_SAFE_INTEGER, 100)) > 0);
    expect(await ids()).toEqual([newest]);
  });

  test("a log is measured in lines and characters", async () => {
    await store.apply([job("j-1", {}), { kind: "log", jobId: "j-1", lines: lines(2) }]);
    expect(await store.logSize("j-1")).toEqual({ lines: 2, characters: 12 });
    expect(await store.logSize("j-none")).toEqual({ lines: 0, characters: 0 });
  });
});

const openSqlite = async (dir: string, name = "store.db"): Promise<Store> => {
  const opened = await openSqliteStore(join(dir, name));
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
};

describe("the file of the sqlite store", () => {
  let dir: string;
  let store: Store;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "baton-retention-"));
    store = await openSqlite(dir);
    await store.apply([
      { kind: "group", value: GROUP, expected: 0 },
      { kind: "node", value: NODE, expected: 0 },
      job("j-long", {}),
      job("j-last", { endedAt: 60 }),
    ]);
  });
  afterEach(async () => {
    await store.close();
    await rm(dir, { recursive: true });
  });

  test("a long log goes in steps that are no larger than asked for, and the disk gets its room back", async () => {
    const text = "x".repeat(4000);
    await store.apply([
      { kind: "log", jobId: "j-long", lines: lines(1000).map((line) => ({ ...line, text })) },
    ]);
    await store.close();
    const full = (await stat(join(dir, "store.db"))).size;
    store = await openSqlite(dir);
    expect(await store.prune("jobs", 50, 300)).toBe(300);
    expect(await store.logLength("j-long")).toBe(700);
    while ((await store.prune("jobs", 50, 300)) > 0);
    expect(await store.job("j-long")).toBeNull();
    await store.close();
    expect((await stat(join(dir, "store.db"))).size).toBeLessThan(full / 2);
    store = await openSqlite(dir);
  });

  test("is copied while it is written to, and the copy is whole", async () => {
    await store.close();
    const copy = join(dir, "copy.db");
    let copying: Promise<void> | undefined;
    // The clock is read within the transaction: the copy begins in the middle of one.
    const opened = await openSqliteStore(join(dir, "store.db"), () => {
      copying ??= store.copyTo?.(copy);
      return 1;
    });
    if (!opened.ok) throw new Error(opened.error.message);
    store = opened.value;
    const writing = Array.from({ length: 200 }, (_, index) =>
      store.apply([{ kind: "group", value: { ...GROUP, name: `g${index}` }, expected: 0 }]),
    );
    await Promise.all(writing);
    expect(copying).toBeInstanceOf(Promise);
    await copying;
    const copied = await openSqlite(dir, "copy.db");
    expect((await copied.job("j-long"))?.value.id).toBe("j-long");
    for (const group of await copied.groups()) expect(await copied.lease(group.value.name)).not.toBeNull();
    await copied.close();
  });
});
