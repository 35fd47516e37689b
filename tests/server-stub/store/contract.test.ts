/** What the coordinator expects of its store, of every engine. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LogLine } from "../../../protocol/job.ts";
import type { ChannelRecord } from "../../../server-stub/store/policy.ts";
import type { Store } from "../../../server-stub/store/store.ts";
import { ENGINES, freshStore } from "./engines.ts";
import { CHANNEL, GROUP, JOB, JOIN_TOKEN, LEASE, NODE, OPERATOR_TOKEN, ROLLOUT } from "./records.ts";

const add = {
  group: { kind: "group", value: GROUP, expected: 0 },
  node: { kind: "node", value: NODE, expected: 0 },
} as const;

describe.each(ENGINES)("the %s store", (engine) => {
  let opened: Awaited<ReturnType<typeof freshStore>>;
  let store: Store;
  beforeEach(async () => {
    opened = await freshStore(engine);
    ({ store } = opened);
  });
  afterEach(() => opened[Symbol.asyncDispose]());

  test("is empty at first, in its first epoch", async () => {
    expect(await store.meta()).toEqual({ value: { tokenEpoch: 0 }, revision: 1 });
    expect(await store.groups()).toEqual([]);
    expect(await store.lease("db")).toBeNull();
    expect(await store.job("j-1")).toBeNull();
  });

  test("gives a new group a free lease", async () => {
    expect(await store.apply([add.group])).toEqual({ ok: true });
    expect(await store.group("db")).toEqual({ value: GROUP, revision: 1 });
    expect(await store.lease("db")).toEqual({
      value: { lastToken: 0, holders: [], broken: [] },
      revision: 1,
    });
    expect(await store.busyLeases()).toEqual([]);
  });

  test("writes a batch whole or not at all", async () => {
    await store.apply([add.group, add.node]);
    const applied = await store.apply([
      { kind: "lease", group: "db", value: LEASE, expected: 1 },
      {
        kind: "audit",
        value: { at: 1, actor: "a", action: "x", subject: "s", before: null, after: null, from: "" },
      },
      { kind: "job", value: JOB, expected: 7 },
    ]);
    expect(applied).toEqual({ ok: false, conflict: "job" });
    expect((await store.lease("db"))?.revision).toBe(1);
    expect(await store.audit(10)).toEqual([]);
  });

  test("takes what is written from the seat only under the claim that it is taken under", async () => {
    const from = (claim: string) => store.apply([{ kind: "in-seat", claim }, add.group]);
    expect(await from("one")).toEqual({ ok: false, conflict: "in-seat" });
    const { value, revision } = await store.meta();
    const seat = { claim: "one", since: 1 };
    await store.apply([{ kind: "meta", value: { ...value, seat }, expected: revision }]);
    expect(await from("another")).toEqual({ ok: false, conflict: "in-seat" });
    expect(await store.groups()).toEqual([]);
    expect(await from("one")).toEqual({ ok: true });
  });

  test("takes one of two writes from the same revision", async () => {
    await store.apply([add.group]);
    const write = { kind: "lease", group: "db", value: LEASE, expected: 1 } as const;
    const answers = await Promise.all([store.apply([write]), store.apply([write])]);
    expect(answers.filter((answer) => answer.ok)).toHaveLength(1);
    expect(await store.lease("db")).toEqual({ value: LEASE, revision: 2 });
    expect(await store.busyLeases()).toEqual([{ group: "db", value: LEASE, revision: 2 }]);
  });

  test("can be told that a group and a lease must be as they were", async () => {
    await store.apply([add.group]);
    const same = [
      { kind: "same-group", name: "db", expected: 1 },
      { kind: "same-lease", group: "db", expected: 1 },
    ] as const;
    expect(await store.apply(same)).toEqual({ ok: true });
    await store.apply([{ kind: "group", value: { ...GROUP, spare: 1 }, expected: 1 }]);
    expect(await store.apply(same)).toEqual({ ok: false, conflict: "same-group" });
    await store.apply([{ kind: "lease", group: "db", value: LEASE, expected: 1 }]);
    expect(await store.apply([same[1]])).toEqual({ ok: false, conflict: "same-lease" });
  });

  test("gives a node's name and credential to one node only", async () => {
    await store.apply([add.group, add.node]);
    const other = { ...NODE, id: "n-other0000000" };
    const named = { ...other, credentialHash: "else" };
    const keyed = { ...other, name: "else" };
    expect(await store.apply([{ kind: "node", value: named, expected: 0 }])).toEqual({
      ok: false,
      conflict: "node",
    });
    expect(await store.apply([{ kind: "node", value: keyed, expected: 0 }])).toEqual({
      ok: false,
      conflict: "node",
    });
    expect(await store.apply([{ kind: "remove-node", id: NODE.id, expected: 1 }])).toEqual({ ok: true });
    expect(await store.apply([{ kind: "node", value: named, expected: 0 }])).toEqual({ ok: true });
  });

  test("finds nodes by id, name, credential and group, and notes when they were seen", async () => {
    await store.apply([
      add.group,
      add.node,
      { kind: "group", value: { ...GROUP, name: "web" }, expected: 0 },
    ]);
    await store.touchNodes([
      { id: NODE.id, at: 77 },
      { id: "n-nobody000000", at: 78 },
    ]);
    const stored = { value: NODE, revision: 1, lastSeenAt: 77 };
    expect(await store.node(NODE.id)).toEqual(stored);
    expect(await store.nodeByName(NODE.name)).toEqual(stored);
    expect(await store.nodeByCredential(NODE.credentialHash)).toEqual(stored);
    expect(await store.nodes("db")).toEqual([stored]);
    expect(await store.nodes("web")).toEqual([]);
    expect(await store.nodes()).toEqual([stored]);
  });

  test("has one active job on a node at a time, and knows the last one", async () => {
    await store.apply([add.group, add.node]);
    const second = { ...JOB, id: "j-2" };
    expect(await store.apply([{ kind: "job", value: JOB, expected: 0 }])).toEqual({ ok: true });
    expect(await store.apply([{ kind: "job", value: second, expected: 0 }])).toEqual({
      ok: false,
      conflict: "job",
    });
    expect(await store.activeJob(NODE.id)).toEqual({ value: JOB, revision: 1 });
    const ended = { ...JOB, status: "succeeded" as const };
    await store.apply([
      { kind: "job", value: ended, expected: 1 },
      { kind: "job", value: second, expected: 0 },
    ]);
    expect((await store.activeJob(NODE.id))?.value.id).toBe("j-2");
    expect((await store.lastJob(NODE.id))?.value.id).toBe("j-2");
    expect((await store.activeJobsOf("db")).map((job) => job.value.id)).toEqual(["j-2"]);
    expect(await store.job(JOB.id)).toEqual({ value: ended, revision: 2 });
  });

  test("has one active diagnosis on a node beside its job, which is never its job", async () => {
    const diagnosis = { ...JOB, id: "j-3", kind: "diagnose" as const, release: null, to: null };
    const put = (value: typeof JOB | typeof diagnosis, expected = 0) =>
      store.apply([{ kind: "job", value, expected }]);
    await store.apply([add.group, add.node]);
    expect(await put(JOB)).toEqual({ ok: true });
    expect(await put(diagnosis)).toEqual({ ok: true });
    expect(await put({ ...diagnosis, id: "j-4" })).toEqual({ ok: false, conflict: "job" });
    expect((await store.activeJob(NODE.id))?.value.id).toBe(JOB.id);
    expect((await store.lastJob(NODE.id))?.value.id).toBe(JOB.id);
    expect((await store.activeJobsOf("db")).map((job) => job.value.id)).toEqual([JOB.id]);
    expect(await store.activeDiagnosis(NODE.id)).toEqual({ value: diagnosis, revision: 1 });
    expect((await store.activeDiagnoses()).map((job) => job.value.id)).toEqual([diagnosis.id]);
    await put({ ...diagnosis, status: "succeeded" as const }, 1);
    expect(await store.activeDiagnosis(NODE.id)).toBeNull();
    expect(await store.activeDiagnoses()).toEqual([]);
    expect((await store.activeJob(NODE.id))?.value.id).toBe(JOB.id);
    expect(await put({ ...diagnosis, id: "j-4" })).toEqual({ ok: true });
  });

  test("keeps a log line once, whoever repeats it", async () => {
    await store.apply([add.group, add.node, { kind: "job", value: JOB, expected: 0 }]);
    const line = (index: number, text: string): LogLine => ({
      index,
      at: 5,
      source: "agent",
      step: "fetch",
      text,
    });
    await store.apply([{ kind: "log", jobId: JOB.id, lines: [line(0, "a"), line(1, "b")] }]);
    await store.apply([{ kind: "log", jobId: JOB.id, lines: [line(1, "again"), line(2, "c")] }]);
    expect((await store.log(JOB.id, 0, 10)).map((each) => each.text)).toEqual(["a", "b", "c"]);
    expect(await store.log(JOB.id, 1, 1)).toEqual([line(1, "b")]);
    expect(await store.logLength(JOB.id)).toBe(3);
    expect(await store.logLength("j-none")).toBe(0);
  });

  test("tells unfinished rollouts from those that are over", async () => {
    await store.apply([add.group, { kind: "rollout", value: ROLLOUT, expected: 0 }]);
    expect((await store.unfinishedRollouts("db")).map((each) => each.value.id)).toEqual(["r-1"]);
    expect(await store.unfinishedRollouts("web")).toEqual([]);
    const cancelled = { ...ROLLOUT, status: "cancelled" as const };
    await store.apply([{ kind: "rollout", value: cancelled, expected: 1 }]);
    expect(await store.unfinishedRollouts()).toHaveLength(1);
    await store.apply([{ kind: "rollout", value: { ...cancelled, endedAt: 9 }, expected: 2 }]);
    expect(await store.unfinishedRollouts()).toEqual([]);
    await store.apply([{ kind: "rollout", value: { ...ROLLOUT, id: "r-2" }, expected: 0 }]);
    expect((await store.rollouts()).map((each) => each.value.id)).toEqual(["r-2", "r-1"]);
  });

  test("finds tokens by their hash only", async () => {
    await store.apply([
      add.group,
      { kind: "operator-token", value: OPERATOR_TOKEN, expected: 0 },
      { kind: "join-token", value: JOIN_TOKEN, expected: 0 },
    ]);
    expect(await store.operatorTokenByHash("hash-o")).toEqual({ value: OPERATOR_TOKEN, revision: 1 });
    expect(await store.operatorTokenByHash("hash-j")).toBeNull();
    expect(await store.joinTokenByHash("hash-j")).toEqual({ value: JOIN_TOKEN, revision: 1 });
    await store.apply([{ kind: "join-token", value: { ...JOIN_TOKEN, usesLeft: 0 }, expected: 1 }]);
    expect((await store.joinTokenByHash("hash-j"))?.value.usesLeft).toBe(0);
    expect(await store.operatorTokens()).toHaveLength(1);
  });

  test("raises an alert once while it is open, and again after it was resolved", async () => {
    const raise = (message: string, at: number) =>
      store.apply([{ kind: "raise", alert: "node_offline", subject: "n-1", message, at }]);
    await raise("first", 1);
    await raise("second", 2);
    expect((await store.openAlerts("node_offline")).map((alert) => alert.message)).toEqual(["first"]);
    await store.apply([{ kind: "resolve", alert: "node_offline", subject: "n-1", at: 3 }]);
    expect(await store.openAlerts("node_offline")).toEqual([]);
    await raise("third", 4);
    expect(
      (await store.alerts({ state: "all", limit: 10 })).map(({ message, resolvedAt }) => [
        message,
        resolvedAt,
      ]),
    ).toEqual([
      ["third", null],
      ["first", 3],
    ]);
    expect(await store.openAlerts("update_failed")).toEqual([]);
  });

  test("shows the newest audit entries first, with what was before and after", async () => {
    for (const at of [1, 2, 3]) {
      const value = {
        at,
        actor: "operator ada",
        action: "x",
        subject: "s",
        before: { a: 1 },
        after: null,
        from: "::1",
      };
      await store.apply([{ kind: "audit", value }]);
    }
    const entries = await store.audit(2);
    expect(entries.map((entry) => entry.at)).toEqual([3, 2]);
    expect(entries[0]).toMatchObject({ actor: "operator ada", before: { a: 1 }, after: null, from: "::1" });
  });

  test("keeps one policy of the fleet, which is there from the start", async () => {
    const first = { windows: [], freeze: null, rollout: {} };
    expect(await store.policy()).toEqual({ value: first, revision: 1 });
    const frozen = { ...first, freeze: { reason: "snow", until: null, by: "ada", at: 1 } };
    const change = { kind: "policy", value: frozen, expected: 1 } as const;
    expect(await store.apply([{ kind: "same-policy", expected: 1 }, change])).toEqual({ ok: true });
    expect(await store.apply([change])).toEqual({ ok: false, conflict: "policy" });
    expect(await store.apply([{ kind: "same-policy", expected: 1 }])).toEqual({
      ok: false,
      conflict: "same-policy",
    });
    expect(await store.policy()).toEqual({ value: frozen, revision: 2 });
  });

  test("keeps channels by name, until they are removed", async () => {
    const put = (value: ChannelRecord, expected: number) =>
      store.apply([{ kind: "channel", value, expected }]);
    expect(await store.channel("stable")).toBeNull();
    expect(await put(CHANNEL, 0)).toEqual({ ok: true });
    expect(await put(CHANNEL, 0)).toEqual({ ok: false, conflict: "channel" });
    expect(await put({ ...CHANNEL, name: "beta" }, 0)).toEqual({ ok: true });
    const moved = { ...CHANNEL, release: "1.0.0", promotedAt: 2 };
    expect(await put(moved, 1)).toEqual({ ok: true });
    expect(await store.channel("stable")).toEqual({ value: moved, revision: 2 });
    expect((await store.channels()).map(({ value }) => value.name)).toEqual(["beta", "stable"]);
    const remove = { kind: "remove-channel", name: "stable", expected: 1 } as const;
    expect(await store.apply([remove])).toEqual({ ok: false, conflict: "remove-channel" });
    expect(await store.apply([{ ...remove, expected: 2 }])).toEqual({ ok: true });
    expect(await store.channel("stable")).toBeNull();
  });

  test("raises the epoch by compare-and-set", async () => {
    const change = { kind: "meta", value: { tokenEpoch: 1 }, expected: 1 } as const;
    expect(await store.apply([change])).toEqual({ ok: true });
    expect(await store.apply([change])).toEqual({ ok: false, conflict: "meta" });
    expect((await store.meta()).value.tokenEpoch).toBe(1);
  });

  test("answers many at once without mixing them up", async () => {
    await store.apply([add.group]);
    const names = Array.from({ length: 40 }, (_, index) => `g${index}`);
    await Promise.all(
      names.map((name) => store.apply([{ kind: "group", value: { ...GROUP, name }, expected: 0 }])),
    );
    const read = await Promise.all(names.map((name) => store.group(name)));
    expect(read.map((group) => group?.value.name)).toEqual(names);
  });

  test("orders names, and finds what they begin with, as bytes", async () => {
    const names = ["b-1", "B", "a", "A-2", "b_1", "a.1"];
    await store.apply(names.map((name) => ({ kind: "group", value: { ...GROUP, name }, expected: 0 })));
    expect((await store.groups()).map(({ value }) => value.name)).toEqual([...names].sort());
    const entry = { at: 1, actor: "a", subject: "s", before: null, after: null, from: "" };
    const actions = ["lease.broken", "Lease.broken", "leases", "lease_broken"];
    await store.apply(actions.map((action) => ({ kind: "audit", value: { ...entry, action } })));
    const found = await store.audit(10, { action: "lease." });
    expect(found.map(({ action }) => action)).toEqual(["lease.broken"]);
  });

  test("keeps instants of this century, and whatever a program prints", async () => {
    const at = Date.UTC(2099, 11, 31);
    const job = { ...JOB, createdAt: at, endedAt: at, status: "failed" as const };
    await store.apply([add.group, add.node, { kind: "job", value: job, expected: 0 }]);
    const texts = ["\0 at the beginning", "'; drop table job; --", "\u{1f680} \ud800 alone", "\\x00"];
    const lines = texts.map((text, index) => ({ index, at, source: "agent" as const, step: null, text }));
    await store.apply([{ kind: "log", jobId: JOB.id, lines }]);
    await store.touchNodes([{ id: NODE.id, at }]);
    const kept = await store.log(JOB.id, 0, 10);
    expect(kept.map((line) => line.at)).toEqual([at, at, at, at]);
    expect(kept.slice(1, 2).map(({ text }) => text)).toEqual(texts.slice(1, 2));
    expect(kept[0]?.text).toMatch(/^(\0|\ufffd) at the beginning$/);
    expect((await store.node(NODE.id))?.lastSeenAt).toBe(at);
    expect(await store.logSize(JOB.id)).toMatchObject({ lines: 4 });
    expect(await store.prune("jobs", at, 10)).toBe(0);
  });

  test("takes a crowd that all want the same, one after the other", async () => {
    await store.apply([add.group]);
    let written = 0;
    const climb = async (): Promise<void> => {
      for (;;) {
        const read = await store.lease("db");
        if (read === null) throw new Error("there is a lease");
        const value = { ...read.value, lastToken: read.value.lastToken + 1 };
        const applied = await store.apply([{ kind: "lease", group: "db", value, expected: read.revision }]);
        if (applied.ok) break;
      }
      written += 1;
    };
    await Promise.all(Array.from({ length: 12 }, climb));
    expect((await store.lease("db"))?.value.lastToken).toBe(written);
  });

  test("signs browsers in and out, and forgets those that have expired", async () => {
    const record = (hash: string, expiresAt: number) => ({ hash, tokenId: "o-1", createdAt: 1, expiresAt });
    const signIn = (hash: string, expiresAt: number) =>
      store.apply([{ kind: "sign-in", value: record(hash, expiresAt) }]);
    expect(await signIn("a", 10)).toEqual({ ok: true });
    expect(await signIn("a", 20)).toEqual({ ok: false, conflict: "sign-in" });
    await signIn("b", 11);
    await signIn("c", 99);
    await store.apply([{ kind: "remove-sign-in", hash: "c" }]);
    expect(await store.apply([{ kind: "remove-sign-in", hash: "c" }])).toEqual({ ok: true });
    await store.apply([{ kind: "forget-sign-ins", before: 10 }]);
    const there = await Promise.all(["a", "b", "c"].map((hash) => store.signIn(hash)));
    expect(there).toEqual([null, record("b", 11), null]);
  });

  test("lets one of two use a sign-in link", async () => {
    const link = { hash: "l", tokenId: null, expiresAt: 10 };
    await store.apply([{ kind: "sign-in-link", value: link }]);
    expect(await store.signInLink("l")).toEqual(link);
    const use = { kind: "use-sign-in-link", hash: "l" } as const;
    const answers = await Promise.all([store.apply([use]), store.apply([use])]);
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    await store.apply([{ kind: "sign-in-link", value: { ...link, hash: "m" } }]);
    await store.apply([{ kind: "forget-sign-ins", before: 10 }]);
    expect(await store.signInLink("m")).toBeNull();
  });

  test("finds an operator's token by its id", async () => {
    await store.apply([{ kind: "operator-token", value: OPERATOR_TOKEN, expected: 0 }]);
    expect(await store.operatorToken(OPERATOR_TOKEN.id)).toEqual({ value: OPERATOR_TOKEN, revision: 1 });
    expect(await store.operatorToken("o-none")).toBeNull();
  });
});
