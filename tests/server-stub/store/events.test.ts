/** What changed, as rows that are written with the change itself; of every engine. */
import { describe, expect, test } from "vitest";
import type { Change } from "../../../server-stub/store/records.ts";
import type { Store } from "../../../server-stub/store/store.ts";
import { ENGINES, freshStore } from "./engines.ts";
import { GROUP, JOB, JOIN_TOKEN, LEASE, NODE, OPERATOR_TOKEN, ROLLOUT } from "./records.ts";

const group: Change = { kind: "group", value: GROUP, expected: 0 };
const node: Change = { kind: "node", value: NODE, expected: 0 };
const job: Change = { kind: "job", value: JOB, expected: 0 };

const said = async (store: Store, after = 0): Promise<string[]> =>
  (await store.changesSince(after, 1000)).map(({ kind, subject }) => `${kind} ${subject}`);

describe.each(ENGINES)("events of the %s store", (engine) => {
  test("come with what they tell of, in order, stamped with the time, each subject once a batch", async () => {
    let now = 7;
    await using at = await freshStore(engine, () => now);
    const { store } = at;
    expect([await store.oldestEventId(), await store.lastEventId()]).toEqual([0, 0]);
    await store.apply([group, node]);
    now = 9;
    await store.apply([job, { kind: "lease", group: "db", value: LEASE, expected: 1 }]);
    const events = await store.changesSince(0, 10);
    expect(events.map(({ at: when, kind, subject }) => [when, kind, subject])).toEqual([
      [7, "group", "db"],
      [7, "node", NODE.id],
      [9, "job", JOB.id],
      [9, "node", NODE.id],
      [9, "lease", "db"],
    ]);
    const ids = events.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(new Set(ids).size).toBe(5);
    expect([await store.oldestEventId(), await store.lastEventId()]).toEqual([ids[0], ids[4]]);
    expect((await store.changesSince(ids[1] ?? 0, 2)).map(({ id }) => id)).toEqual([ids[2], ids[3]]);
    expect(await store.changesSince(ids[4] ?? 0, 2)).toEqual([]);
  });

  test("are undone with a batch that conflicts", async () => {
    await using at = await freshStore(engine);
    const { store } = at;
    const gone: Change = { kind: "remove-node", id: NODE.id, expected: 7 };
    expect(await store.apply([group, node, gone])).toMatchObject({ ok: false });
    expect(await said(store)).toEqual([]);
  });

  test("are not made by what nobody sees", async () => {
    await using at = await freshStore(engine);
    const { store } = at;
    const token = { kind: "operator-token", value: OPERATOR_TOKEN, expected: 0 } as const;
    await store.apply([group, node, job, token]);
    const before = await store.lastEventId();
    await store.apply([
      { kind: "same-group", name: "db", expected: 1 },
      { kind: "same-lease", group: "db", expected: 1 },
      {
        kind: "audit",
        value: { at: 1, actor: "a", action: "x", subject: "s", before: null, after: null, from: "" },
      },
      {
        kind: "log",
        jobId: JOB.id,
        lines: [{ index: 0, at: 5, source: "agent", step: "fetch", text: "hello" }],
      },
      { ...token, value: { ...OPERATOR_TOKEN, lastUsedAt: 5 }, expected: 1, isUse: true },
      { kind: "resolve", alert: "node_offline", subject: NODE.id, at: 5 },
      { kind: "meta", value: { tokenEpoch: 1 }, expected: 1 },
    ]);
    await store.touchNodes([{ id: NODE.id, at: 7 }]);
    expect(await store.lastEventId()).toBe(before);
  });

  test("name what each kind of change is about", async () => {
    await using at = await freshStore(engine);
    const { store } = at;
    await store.apply([group, node]);
    const after = await store.lastEventId();
    const raise = { alert: "node_offline", subject: NODE.id, at: 1 } as const;
    await store.apply([
      { kind: "rollout", value: ROLLOUT, expected: 0 },
      { kind: "operator-token", value: OPERATOR_TOKEN, expected: 0 },
      { kind: "join-token", value: JOIN_TOKEN, expected: 0 },
      { kind: "announce", event: "release", subject: "1.1.0" },
      { kind: "raise", message: "away", ...raise },
    ]);
    await store.apply([
      { kind: "raise", message: "again", ...raise },
      { kind: "remove-node", id: NODE.id, expected: 1 },
    ]);
    await store.apply([{ kind: "resolve", ...raise }]);
    const [alert] = await store.alerts({ state: "all", limit: 1 });
    expect(await said(store, after)).toEqual([
      `rollout ${ROLLOUT.id}`,
      `token ${OPERATOR_TOKEN.id}`,
      `token ${JOIN_TOKEN.id}`,
      "release 1.1.0",
      `alert ${alert?.id}`,
      `node-removed ${NODE.id}`,
      `alert ${alert?.id}`,
    ]);
  });

  test("of a large batch are all there", async () => {
    await using at = await freshStore(engine);
    const names = Array.from({ length: 50 }, (_, index) => `g${index}`);
    await at.store.apply(names.map((name) => ({ kind: "group", value: { ...GROUP, name }, expected: 0 })));
    expect(await said(at.store)).toEqual(names.map((name) => `group ${name}`));
  });

  test("who listens is poked when they can be read, until it listens no more", async () => {
    await using at = await freshStore(engine);
    const { store } = at;
    const poked = Promise.withResolvers<string[]>();
    let pokes = 0;
    const off = store.onChange(() => {
      pokes += 1;
      poked.resolve(said(store));
    });
    await store.apply([group]);
    expect(await poked.promise).toEqual(["group db"]);
    off();
    const before = pokes;
    await store.apply([node]);
    expect(pokes).toBe(before);
  });

  test("are let go of in the end, but for the newest", async () => {
    let now = 10;
    await using at = await freshStore(engine, () => now);
    const { store } = at;
    for (const name of ["a", "b", "c"]) {
      await store.apply([{ kind: "group", value: { ...GROUP, name }, expected: 0 }]);
      now += 10;
    }
    const last = await store.lastEventId();
    expect(await store.prune("events", 15, 10)).toBe(1);
    expect(await store.prune("events", 1000, 10)).toBe(1);
    expect([await store.oldestEventId(), await store.lastEventId()]).toEqual([last, last]);
    await store.apply([{ kind: "group", value: { ...GROUP, name: "d" }, expected: 0 }]);
    expect(await store.lastEventId()).toBeGreaterThan(last);
  });
});
