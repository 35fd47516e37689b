/** FleetLock, exact on the wire; and on the same lease and budget as agents. */
import { setTimeout as pause } from "node:timers/promises";
import { Agent } from "undici";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { LeaseNode } from "../../bench/leases/node.ts";
import type { JoinReply } from "../../protocol/access.ts";
import type { Node } from "../../protocol/node.ts";
import { type CallOptions, startCoordinator, type TestCoordinator } from "./harness/coordinator.ts";
import { EventReader } from "./harness/event-reader.ts";

type Said = { readonly status: number; readonly text: string; readonly headers: Headers };
type Client = { readonly lock: () => Promise<Said>; readonly unlock: () => Promise<Said> };

const HEADERS = { "fleet-lock-protocol": "true", "content-type": "application/json" };

let coordinator: TestCoordinator;
const start = async (): Promise<void> => {
  coordinator = await startCoordinator();
};

const ask = async (
  path: string,
  body: string | undefined,
  headers: Record<string, string> = HEADERS,
): Promise<Said> => {
  // As bytes, so that no content type is made up for it.
  const bytes = body === undefined ? {} : { body: new TextEncoder().encode(body) };
  const answer = await fetch(`${coordinator.url}${path}`, { method: "POST", headers, ...bytes });
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
};
const bodyOf = (id: string, group = "db"): string => JSON.stringify({ client_params: { id, group } });
const client = (id: string, group = "db", headers: Record<string, string> = {}): Client => ({
  lock: () => ask("/v1/pre-reboot", bodyOf(id, group), { ...HEADERS, ...headers }),
  unlock: () => ask("/v1/steady-state", bodyOf(id, group), { ...HEADERS, ...headers }),
});
const statusOf = async (said: Promise<Said>): Promise<number> => (await said).status;
const kindOf = ({ status, text }: Said): string => `${status} ${(JSON.parse(text) as { kind: string }).kind}`;

const call = async (method: string, path: string, options?: CallOptions) => {
  const answer = await coordinator.call(method, path, options);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
  return answer.body;
};
const makeGroup = async (name = "db", fleetLock: object = { autoApprove: true, voter: true }, more = {}) => {
  await call("POST", "/v1/groups", { body: { name, mode: "quorum", ...more } });
  return call("POST", `/v1/groups/${name}/fleet-lock`, { body: fleetLock });
};
const nodes = async () => (await call("GET", "/v1/nodes")).nodes as Node[];

describe("what FleetLock says of the wire", () => {
  beforeAll(async () => {
    await start();
    await makeGroup("wire", { autoApprove: true });
  });
  afterAll(() => coordinator.stop());

  test.each([
    ["application/json", HEADERS["content-type"]],
    ["another content type", "application/x-www-form-urlencoded"],
    ["one that is none", "what;is=this"],
    ["no content type", null],
  ])("a body is read as JSON: %s", async (_, type) => {
    const headers: Record<string, string> = { "fleet-lock-protocol": "true" };
    if (type !== null) headers["content-type"] = type;
    const said = await ask("/v1/pre-reboot", bodyOf("typed", "wire"), headers);
    expect([said.status, said.text]).toEqual([200, "{}"]);
    expect(await statusOf(ask("/v1/steady-state", bodyOf("typed", "wire"), headers))).toBe(200);
  });

  const extra = JSON.stringify({ client_params: { id: "x", group: "wire", other: 1 }, node: [] });
  test("members that it does not know are passed over", async () => {
    expect(await statusOf(ask("/v1/pre-reboot", extra))).toBe(200);
    expect(await statusOf(ask("/v1/steady-state", extra))).toBe(200);
  });

  test.each<[string, string | undefined, Record<string, string>]>([
    ["no header", bodyOf("a", "wire"), { "content-type": "application/json" }],
    ["a header that is not true", bodyOf("a", "wire"), { ...HEADERS, "fleet-lock-protocol": "yes" }],
    ["no body", undefined, HEADERS],
    ["a body that is no JSON", "client_params", HEADERS],
    ["a body without parameters", "{}", HEADERS],
    ["an empty id", bodyOf("", "wire"), HEADERS],
    ["an id that is no text", '{"client_params":{"id":7,"group":"wire"}}', HEADERS],
    ["an empty group", bodyOf("a", ""), HEADERS],
    ["a group of other characters", bodyOf("a", "wire_1"), HEADERS],
    ["a group with a line after it", bodyOf("a", "wire\n"), HEADERS],
  ])("400, and nothing is done: %s", async (_, body, headers) => {
    for (const path of ["/v1/pre-reboot", "/v1/steady-state"]) {
      const said = await ask(path, body, headers);
      expect(kindOf(said)).toBe("400 bad_request");
      expect(said.headers.get("content-type")).toContain("application/json");
      expect(Object.keys(JSON.parse(said.text) as object)).toEqual(["kind", "value"]);
    }
  });

  test("a body beyond any client's is not read", async () => {
    expect(kindOf(await ask("/v1/pre-reboot", bodyOf("x".repeat(100_000), "wire")))).toBe("413 too_large");
  });

  test("another method is refused, and no success is another one than 200", async () => {
    const answer = await fetch(`${coordinator.url}/v1/pre-reboot`, { headers: HEADERS });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "POST"]);
  });

  test("a group that there is not, or that is not open, is 404", async () => {
    await call("POST", "/v1/groups", { body: { name: "agents-only" } });
    for (const group of ["nowhere", "agents-only", ".-."])
      for (const said of [await client("a", group).lock(), await client("a", group).unlock()])
        expect(kindOf(said)).toBe("404 unknown_group");
    expect((await nodes()).filter(({ group }) => group !== "wire")).toEqual([]);
  });
});

describe("the semaphore", () => {
  beforeEach(start);
  afterEach(() => coordinator.stop());

  test("one holds it, again and again; the others are told 423; it is free when its holder says so", async () => {
    await makeGroup("db", { autoApprove: true, voter: true });
    const [a, b, c] = [client("a"), client("b"), client("c")];
    // They become members when they first ask.
    for (const each of [a, b, c]) {
      await each.lock();
      await each.unlock();
    }
    expect(await statusOf(a.lock())).toBe(200);
    expect(await statusOf(a.lock())).toBe(200);
    const full = await b.lock();
    expect(kindOf(full)).toBe("423 full");
    expect(full.text).toContain("a holds the lease");
    expect(await statusOf(b.unlock()), "who holds nothing frees nothing").toBe(200);
    expect(await statusOf(client("stranger").unlock())).toBe(200);
    expect(await statusOf(b.lock())).toBe(423);
    expect(await statusOf(a.unlock())).toBe(200);
    expect(await statusOf(a.unlock())).toBe(200);
    expect(await statusOf(b.lock())).toBe(200);
    const shown = await nodes();
    expect(shown.map(({ name, client: speaks, serving }) => [name, speaks, serving])).toEqual([
      ["a", "fleet-lock", true],
      ["b", "fleet-lock", false],
      ["c", "fleet-lock", true],
    ]);
  });

  test("onlookers are told of who may reboot as it changes: no heartbeat tells them", async () => {
    await makeGroup("db", { autoApprove: true });
    await client("a").lock();
    await client("a").unlock();
    const token = coordinator.adminToken;
    const reader = await EventReader.open(coordinator.url, { token, query: "?kinds=node" });
    await reader.block();
    await client("a").lock();
    expect(await reader.next()).toMatchObject({ value: { name: "a", serving: false } });
    await client("a").unlock();
    expect(await reader.next()).toMatchObject({ value: { name: "a", serving: true } });
    reader.close();
  });

  test("survives a restart, and tokens only rise", async () => {
    await makeGroup("db", { autoApprove: true });
    await client("a").lock();
    const lease = async () =>
      (await call("GET", "/v1/groups/db/lease")) as { holder: { token: number } | null };
    const before = (await lease()).holder;
    await coordinator.restart();
    expect(await statusOf(client("b").lock())).toBe(423);
    expect(before?.token).toBeGreaterThan(0);
    expect((await lease()).holder?.token).toBe(before?.token);
    await client("a").unlock();
    await client("b").lock();
    expect((await lease()).holder?.token).toBeGreaterThan(before?.token ?? 0);
  });

  test("of many at once one has it, and no conflict is told to anybody", async () => {
    await makeGroup("db", { autoApprove: true });
    const all = Array.from({ length: 20 }, (_, at) => client(`n${at}`));
    const first = await Promise.all(all.map((each) => statusOf(each.lock())));
    expect(first.filter((status) => status === 200)).toHaveLength(1);
    expect(first.filter((status) => status === 423)).toHaveLength(19);
    const back = await Promise.all(all.map((each) => statusOf(each.unlock())));
    expect(new Set(back)).toEqual(new Set([200]));
    const names = (await nodes()).map(({ name }) => name);
    expect(new Set(names).size).toBe(20);
  });

  test("an operator approves who asks, may break what is held, and freezes; a revoked client still gives back", async () => {
    await makeGroup("db", {});
    const [a, b] = [client("0f3745b108f471cb"), client("an id/with any text")];
    expect(kindOf(await a.lock())).toBe("403 not_approved");
    expect(kindOf(await a.lock())).toBe("403 not_approved");
    await b.lock();
    const [one, two] = await nodes();
    expect(one).toMatchObject({ name: "0f3745b108f471cb", membership: "pending", client: "fleet-lock" });
    expect(two?.name).toMatch(/^fleet-lock-[0-9a-z]{12}$/);
    for (const node of [one, two]) await call("POST", `/v1/nodes/${node?.id}/approve`);
    await call("POST", "/v1/groups/db/freeze", { body: { reason: "snow" } });
    expect(kindOf(await a.lock())).toBe("423 closed");
    await call("POST", "/v1/groups/db/unfreeze");
    expect(await statusOf(a.lock())).toBe(200);
    const refused = await coordinator.call("POST", `/v1/nodes/${one?.id}/update`, { body: {} });
    expect(refused.body).toMatchObject({ code: "wrong-state" });
    await call("POST", `/v1/nodes/${one?.id}/revoke`);
    expect(kindOf(await a.lock())).toBe("403 not_approved");
    expect(await statusOf(b.lock())).toBe(423);
    expect(await statusOf(a.unlock())).toBe(200);
    expect(await statusOf(b.lock())).toBe(200);
    await call("POST", "/v1/groups/db/fleet-lock/close");
    expect(kindOf(await b.lock())).toBe("404 unknown_group");
  });

  test("a group may want a user and a password, told once and stored as a hash", async () => {
    const { user, password } = await makeGroup("db", { autoApprove: true, basicAuth: true });
    const basic = (name: unknown, secret: unknown) => ({
      authorization: `Basic ${Buffer.from(`${String(name)}:${String(secret)}`).toString("base64")}`,
    });
    expect(await statusOf(client("a", "db", basic(user, password)).lock())).toBe(200);
    for (const headers of [
      {},
      basic(user, "wrong"),
      basic("other", password),
      { authorization: "Bearer x" },
    ]) {
      const said = await client("a", "db", headers).unlock();
      expect(kindOf(said)).toBe("401 unauthorized");
      expect(said.headers.get("www-authenticate")).toBe('Basic realm="baton"');
    }
    expect((await call("GET", "/v1/groups/db")).fleetLock).toEqual({
      voter: false,
      autoApprove: true,
      basicAuth: true,
    });
    expect(JSON.stringify(await call("GET", "/v1/audit"))).not.toContain(String(password));
    expect(await statusOf(client("a", "db", basic(user, password)).unlock())).toBe(200);
  });
});

describe("agents and FleetLock clients in one group", () => {
  beforeEach(start);
  afterEach(() => coordinator.stop());

  test("are never down together, nor more than the quorum spares, as they themselves know it", async () => {
    await makeGroup("db", { autoApprove: true, voter: true }, { spare: 1 });
    const dispatcher = new Agent();
    const down = new Set<string>();
    const met: string[] = [];
    const told = new Set<number>();
    const away = async (name: string): Promise<void> => {
      down.add(name);
      if (down.size > 1) met.push([...down].join(" and "));
      await pause(3);
      down.delete(name);
    };
    const turns = new Map<string, number>();
    const took = (name: string) => turns.set(name, (turns.get(name) ?? 0) + 1);
    const began = performance.now();
    const isOver = () => {
      const tookMs = performance.now() - began;
      return tookMs > 10_000 || (tookMs > 1_000 && turns.size === 5);
    };

    const agent = async (name: string): Promise<void> => {
      const { secret } = await call("POST", "/v1/join-tokens", { body: { group: "db", autoApprove: true } });
      const joined = await call("POST", "/v1/join", { token: null, body: { token: secret, name } });
      const node = new LeaseNode(coordinator.url, dispatcher, joined as unknown as JoinReply);
      await node.open();
      while (!isOver()) {
        await node.sayIdle();
        const done = node
          .cycle(() => away(name))
          .then(
            () => true,
            (error: Error) => {
              if (!/was answered with 4\d\d/.test(error.message)) throw error;
              return false;
            },
          );
        if (await done) took(name);
        await pause(5);
      }
    };
    const other = async (name: string): Promise<void> => {
      const { lock, unlock } = client(name);
      while (!isOver()) {
        const { status } = await lock();
        told.add(status);
        if (status === 200) {
          await away(name);
          took(name);
          told.add(await statusOf(unlock()));
          await pause(20);
        } else await pause(5);
      }
    };
    await Promise.all([agent("one"), agent("two"), other("three"), other("four"), other("five")]);
    await dispatcher.destroy();
    expect(met).toEqual([]);
    expect(told).toEqual(new Set([200, 423]));
    expect([...turns.keys()].sort()).toEqual(["five", "four", "one", "three", "two"]);
  });

  test("a client is refused while too few agents serve", async () => {
    await makeGroup("db", { autoApprove: true, voter: true });
    for (const name of ["one", "two"]) {
      const { secret } = await call("POST", "/v1/join-tokens", { body: { group: "db", autoApprove: true } });
      await call("POST", "/v1/join", { token: null, body: { token: secret, name } });
    }
    // Of three voters two are agents that were never heard.
    const said = await client("three").lock();
    expect(kindOf(said)).toBe("423 full");
    expect(said.text).toContain("quorum: 3 voters");
  });
});
