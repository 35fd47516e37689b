/** Lists that are read by pages, requests that carry a key, and groups that go: of every engine. */
import { describe, expect, test } from "vitest";
import type { AuditQuery, Change, RequestRecord } from "../../../server-stub/store/records.ts";
import { ENGINES, freshStore } from "./engines.ts";
import { GROUP, JOB, JOIN_TOKEN, NODE } from "./records.ts";

const group: Change = { kind: "group", value: GROUP, expected: 0 };
const node: Change = { kind: "node", value: NODE, expected: 0 };
const ended = (id: string, more: Partial<typeof JOB> = {}): Change => ({
  kind: "job",
  value: { ...JOB, id, status: "succeeded", endedAt: 5, ...more },
  expected: 0,
});

describe.each(ENGINES)("the %s store", (engine) => {
  test("lists jobs by pages, newest first, by what they are", async () => {
    await using opened = await freshStore(engine);
    const { store } = opened;
    await store.apply([group, node]);
    await store.apply([
      ended("j-1"),
      ended("j-2", { status: "failed", kind: "rollback" }),
      ended("j-3", { nodeId: "n-other0000000", rolloutId: "r-1" }),
      { kind: "job", value: { ...JOB, id: "j-4" }, expected: 0 },
      { kind: "job", value: { ...JOB, id: "j-5", kind: "diagnose" }, expected: 0 },
    ]);
    const ids = async (query: object) =>
      (await store.jobs({ limit: 10, ...query })).map(({ value }) => value.id);
    expect(await ids({})).toEqual(["j-5", "j-4", "j-3", "j-2", "j-1"]);
    expect(await ids({ nodeId: NODE.id })).toEqual(["j-5", "j-4", "j-2", "j-1"]);
    expect(await ids({ status: "queued" })).toEqual(["j-5", "j-4"]);
    expect(await ids({ kind: "rollback" })).toEqual(["j-2"]);
    expect(await ids({ rolloutId: "r-1" })).toEqual(["j-3"]);
    expect(await ids({ nodeId: NODE.id, status: "succeeded", kind: "update" })).toEqual(["j-1"]);
    const first = await store.jobs({ limit: 2 });
    expect(await ids({ before: first.at(-1)?.number, limit: 2 })).toEqual(["j-3", "j-2"]);
    expect((await store.activeJobs()).map(({ value }) => value.id)).toEqual(["j-4"]);

    // A job is found by what it has become, and keeps its place.
    const now = { ...JOB, id: "j-4", status: "cancelled" as const };
    await store.apply([{ kind: "job", value: now, expected: 1 }]);
    expect(await ids({ status: "queued" })).toEqual(["j-5"]);
    expect(await ids({ status: "cancelled" })).toEqual(["j-4"]);
    expect(await ids({ limit: 2 })).toEqual(["j-5", "j-4"]);
    expect(await store.activeJobs()).toEqual([]);
  });

  test("reads the audit log by who, what, on what and when; backwards, or on from an entry", async () => {
    await using opened = await freshStore(engine);
    const { store } = opened;
    const entry = (at: number, actor: string, action: string, subject: string): Change => ({
      kind: "audit",
      value: { at, actor, action, subject, before: null, after: { at }, from: "::1" },
    });
    await store.apply([
      entry(10, "operator ada", "group.created", "db"),
      entry(20, "operator ada", "lease.broken", "db"),
      entry(30, "node n-1", "lease.reserved", "web"),
      entry(40, "operator bob", "leased", "db"),
    ]);
    const at = async (query: Omit<AuditQuery, "limit">, limit = 10) =>
      (await store.audit(limit, query)).map((each) => each.at);
    expect(await at({})).toEqual([40, 30, 20, 10]);
    expect(await at({ actor: "operator ada" })).toEqual([20, 10]);
    expect(await at({ action: "lease." })).toEqual([30, 20]);
    expect(await at({ action: "lease" })).toEqual([40, 30, 20]);
    expect(await at({ subject: "db", since: 20 })).toEqual([40, 20]);
    expect(await at({ since: 20, until: 40 })).toEqual([30, 20]);
    expect(await at({ actor: "operator" })).toEqual([]);
    const [, second] = await store.audit(2);
    expect(await at({ before: second?.id ?? 0 })).toEqual([20, 10]);
    expect(await at({ after: second?.id ?? 0 })).toEqual([40]);
    expect(await at({ after: 0 }, 2)).toEqual([10, 20]);
  });

  test("keeps a request once, changes it by its revision, and forgets the old ones", async () => {
    await using opened = await freshStore(engine);
    const { store } = opened;
    const value: RequestRecord = { id: "k", hash: "h", at: 10, state: "at-work", answer: null };
    const first: Change = { kind: "request", value, expected: 0 };
    expect(await store.request("k")).toBeNull();
    expect(await store.apply([first])).toEqual({ ok: true });
    expect(await store.apply([first])).toEqual({ ok: false, conflict: "request" });
    const answered = { ...value, state: "answered" as const, answer: { a: [1, null] } };
    await store.apply([{ kind: "request", value: answered, expected: 1 }]);
    expect(await store.request("k")).toEqual({ value: answered, revision: 2 });
    expect(await store.apply([{ kind: "remove-request", id: "k", expected: 1 }])).toEqual({
      ok: false,
      conflict: "remove-request",
    });
    await store.apply([{ kind: "request", value: { ...value, id: "l", at: 20 }, expected: 0 }]);
    await store.apply([{ kind: "forget-requests", before: 20 }]);
    expect([await store.request("k"), (await store.request("l"))?.value.at]).toEqual([null, 20]);
    expect(await store.apply([{ kind: "remove-request", id: "l", expected: 1 }])).toEqual({ ok: true });
    expect(await store.request("l")).toBeNull();
  });

  test("removes a group with its lease, but not one that has nodes; it may be made again", async () => {
    await using opened = await freshStore(engine);
    const { store } = opened;
    await store.apply([group, node]);
    const remove: Change = { kind: "remove-group", name: GROUP.name, expected: 1 };
    await expect(store.apply([remove])).rejects.toThrow(/nodes|foreign key/i);
    expect((await store.group(GROUP.name))?.revision).toBe(1);
    expect(await store.lease(GROUP.name)).not.toBeNull();
    await store.apply([{ kind: "remove-node", id: NODE.id, expected: 1 }]);
    expect(await store.apply([{ ...remove, expected: 2 }])).toEqual({ ok: false, conflict: "remove-group" });
    expect(await store.lease(GROUP.name)).not.toBeNull();
    expect(await store.apply([remove])).toEqual({ ok: true });
    expect([await store.group(GROUP.name), await store.lease(GROUP.name)]).toEqual([null, null]);
    expect(await store.apply([group])).toEqual({ ok: true });
  });

  test("lists join tokens", async () => {
    await using opened = await freshStore(engine);
    const { store } = opened;
    expect(await store.joinTokens()).toEqual([]);
    await store.apply([group, { kind: "join-token", value: JOIN_TOKEN, expected: 0 }]);
    expect(await store.joinTokens()).toEqual([{ value: JOIN_TOKEN, revision: 1 }]);
  });
});
