/** How requests that are repeated, stale, or too many are answered. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createStrikes } from "../../../server-stub/api/strikes.ts";
import { Door } from "../harness/door.ts";

let door: Door;
beforeAll(async () => {
  door = await Door.open();
  await door.publish("1.1.0");
});
afterAll(() => door[Symbol.asyncDispose]());

const DAY_MS = 86_400_000;
const keyed = (key: string, body?: unknown) => ({ body, headers: { "idempotency-key": key } });

describe("a POST with an Idempotency-Key", () => {
  test("is done once, and answered again as it was", async () => {
    const node = await door.online();
    const path = `/v1/nodes/${node.id}/update`;
    const first = await door.call("POST", path, keyed("k1", { retry: true }));
    expect(first).toMatchObject({ status: 202, body: { jobId: expect.any(String) } });
    expect(first.headers["idempotent-replayed"]).toBeUndefined();
    const before = await door.lastChange();
    const second = await door.call("POST", path, keyed("k1", { retry: true }));
    expect(second).toMatchObject({ status: 202, body: first.body });
    expect(second.headers["idempotent-replayed"]).toBe("true");
    expect(await door.lastChange()).toBe(before);
    expect((await door.call("POST", path, { body: {} })).body.code).toBe("update-in-progress");
  });

  test("and another body is refused; the order of members is none", async () => {
    const name = door.fresh("group");
    await door.must("POST", "/v1/groups", keyed("k2", { name, mode: "quorum" }));
    const same = await door.call("POST", "/v1/groups", keyed("k2", { mode: "quorum", name }));
    expect(same).toMatchObject({ status: 201, headers: { "idempotent-replayed": "true" } });
    const other = await door.call("POST", "/v1/groups", keyed("k2", { name: door.fresh("group") }));
    expect(other).toMatchObject({ status: 422, body: { code: "idempotency-key-reused" } });
  });

  test("that was refused may be asked again: its key is free", async () => {
    const node = await door.join();
    const path = `/v1/nodes/${node.id}/update`;
    expect((await door.call("POST", path, keyed("k3", {}))).body.code).toBe("node-offline");
    await node.hello();
    await node.beat();
    expect(await door.call("POST", path, keyed("k3", {}))).toMatchObject({ status: 202 });
  });

  test("that answered a secret is not answered again: the secret is kept nowhere", async () => {
    const body = { name: "ci", role: "viewer" };
    const first = await door.must("POST", "/v1/tokens", keyed("k4", body));
    const second = await door.call("POST", "/v1/tokens", keyed("k4", body));
    expect(second).toMatchObject({ status: 409, body: { code: "secret-shown-once" } });
    expect(second.text).not.toContain(first.secret);
    const { tokens } = await door.must("GET", "/v1/tokens");
    expect((tokens as { name: string }[]).filter(({ name }) => name === "ci")).toHaveLength(1);
  });

  test("is of one caller and one address: others may use the same key", async () => {
    const { secret } = await door.must("POST", "/v1/tokens", { body: { name: "boss", role: "admin" } });
    const name = door.fresh("group");
    await door.must("POST", "/v1/groups", keyed("k5", { name }));
    const theirs = await door.call("POST", "/v1/groups", {
      ...keyed("k5", { name }),
      token: String(secret),
    });
    expect(theirs.body.code).toBe("name-taken");
    const elsewhere = await door.call("POST", "/v1/tokens", keyed("k5", { name: "x", role: "viewer" }));
    expect(elsewhere.status).toBe(201);
  });

  test("that is still at work is not begun a second time", async () => {
    const body = { name: door.fresh("group") };
    const both = await Promise.all([1, 2].map(() => door.call("POST", "/v1/groups", keyed("k6", body))));
    // The other came while it was at work, or just after.
    const outcomes = both.map(({ status, body: { code, name } }) => `${status} ${String(code ?? name)}`);
    expect(outcomes).toContain(`201 ${body.name}`);
    expect(
      outcomes.filter((outcome) => outcome !== `201 ${body.name}` && outcome !== "409 conflict"),
    ).toEqual([]);
    const created = await door.must("GET", `/v1/audit?action=group.created&subject=${body.name}`);
    expect(created.entries).toHaveLength(1);
  });

  test("is remembered for a day", async () => {
    const body = { name: door.fresh("group") };
    await door.must("POST", "/v1/groups", keyed("k7", body));
    await door.tick(DAY_MS - 1);
    expect((await door.call("POST", "/v1/groups", keyed("k7", body))).status).toBe(201);
    await door.tick(1);
    expect((await door.call("POST", "/v1/groups", keyed("k7", body))).body.code).toBe("name-taken");
  });

  test.each(["", "two words", "x".repeat(256)])("that cannot be one is malformed: %.12j", async (key) => {
    const answer = await door.call("POST", "/v1/groups", keyed(key, { name: "never" }));
    expect(answer).toMatchObject({ status: 400, body: { code: "malformed" } });
  });
});

describe("an edit with If-Match", () => {
  test("goes through while nobody else has edited, and is refused once somebody has", async () => {
    const node = await door.online();
    const path = `/v1/nodes/${node.id}`;
    const read = await door.call("GET", path);
    const tag = read.headers.etag ?? "";
    expect(tag).toMatch(/^"[0-9a-f]{24}"$/);
    // What is heard of a node is no edit of it.
    await node.beat({ health: { healthy: false } });
    expect((await door.call("GET", path)).headers.etag).toBe(tag);

    const label = (rack: string, ifMatch: string) =>
      door.call("PATCH", path, { body: { labels: { rack } }, headers: { "if-match": ifMatch } });
    const edited = await label("b4", tag);
    expect(edited.status).toBe(200);
    const stale = await label("b5", tag);
    expect(stale).toMatchObject({
      status: 412,
      body: { code: "precondition-failed", context: { current: edited.headers.etag } },
    });
    expect((await door.must("GET", path)).labels).toEqual({ rack: "b4" });
    expect((await label("b5", `"other", ${edited.headers.etag}`)).status).toBe(200);
    expect((await label("b6", "*")).status).toBe(200);
    expect((await label("b7", `W/${(await door.call("GET", path)).headers.etag}`)).status).toBe(412);
    const removed = await door.call("DELETE", path, { headers: { "if-match": tag } });
    expect(removed).toMatchObject({ status: 412 });
    expect((await door.call("DELETE", path)).status).toBe(200);
  });

  test("of two at once from the same tag only one goes through", async () => {
    const path = `/v1/groups/${await door.group({ mode: "quorum" })}`;
    const { etag = "" } = (await door.call("GET", path)).headers;
    const edit = (spare: number) =>
      door.call("PATCH", path, { body: { spare }, headers: { "if-match": etag } });
    const statuses = (await Promise.all([edit(1), edit(2), edit(3)])).map(({ status }) => status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 412, 412]);
    expect((await door.call("DELETE", path, { headers: { "if-match": etag } })).status).toBe(412);
  });
});

describe("a cursor", () => {
  test("is of the list that gave it, and of no other", async () => {
    await Promise.all([door.group(), door.group(), door.join(), door.join()]);
    for (const list of ["/v1/groups", "/v1/nodes", "/v1/audit", "/v1/tokens", "/v1/join-tokens"]) {
      const { next } = await door.must("GET", `${list}?limit=1`);
      expect(next).toEqual(expect.any(String));
      const second = await door.call("GET", `${list}?limit=1&cursor=${String(next)}`);
      expect(second.status).toBe(200);
      for (const other of ["/v1/groups", "/v1/audit"].filter((each) => each !== list)) {
        const refused = await door.call("GET", `${other}?cursor=${String(next)}`);
        expect(refused).toMatchObject({ status: 400, body: { code: "cursor-invalid" } });
      }
    }
  });

  test("that was tampered with is refused", async () => {
    const { next } = await door.must("GET", "/v1/audit?limit=1");
    for (const cursor of [`${String(next)}x`, String(next).slice(0, 9), "1", "-1"]) {
      expect((await door.call("GET", `/v1/audit?cursor=${cursor}`)).body.code).toBe("cursor-invalid");
    }
  });
});

describe("wrong credentials", () => {
  const wrong = (from: string) => door.call("GET", "/v1/nodes", { token: "baton_operator_guess", from });

  test("are counted by address, loopback as well; right ones are let in all the while", async () => {
    for (const from of ["127.0.0.1", "192.0.2.7"]) {
      for (let tries = 0; tries < 10; tries += 1) expect((await wrong(from)).status).toBe(401);
      const refused = await wrong(from);
      expect(refused).toMatchObject({ status: 429, body: { code: "too-many-requests" } });
      expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
      expect((await door.call("GET", "/v1/nodes", { from })).status).toBe(200);
    }
    expect((await wrong("192.0.2.8")).status).toBe(401);
    const join = (token: unknown) =>
      door.call("POST", "/v1/join", { token: null, body: { token, name: "x" } });
    for (let tries = 0; tries < 10; tries += 1) expect((await join("baton_join_guess")).status).toBe(403);
    expect((await join("baton_join_guess")).body.code).toBe("too-many-requests");
    const { secret } = await door.must("POST", "/v1/join-tokens", { body: { group: await door.group() } });
    expect((await join(secret)).status).toBe(201);
    // What needs no credential needs none.
    expect((await door.call("GET", "/healthz", { token: "nonsense", from: "192.0.2.7" })).status).toBe(200);
  });

  test("are forgiven with time, one by one, and addresses are forgotten when there are too many", () => {
    let now = 0;
    const strikes = createStrikes(() => now, { most: 2, withinMs: 1_000, addresses: 2 });
    const isStruck = (from: string) => !strikes.strike(from).ok;
    expect([isStruck("a"), isStruck("a"), isStruck("a")]).toEqual([false, false, true]);
    expect(strikes.strike("a")).toMatchObject({ error: { retryAfterMs: 500 } });
    now += 500;
    expect([isStruck("a"), isStruck("a")]).toEqual([false, true]);
    now += 60_000;
    expect([isStruck("a"), isStruck("a"), isStruck("a")]).toEqual([false, false, true]);
    for (const other of ["b", "c"]) isStruck(other);
    expect(isStruck("a")).toBe(false);
  });
});
