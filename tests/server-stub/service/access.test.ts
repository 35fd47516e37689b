import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ADMIN, code, House, must } from "./house.ts";

test("a node joins once per use of its token, waits for approval, and takes no part before", async () => {
  await using house = await House.build();
  const { access, nodes, groups } = house.baton;
  must(await groups.create(ADMIN, { name: "db", mode: "quorum" }));
  expect(code(await access.createJoinToken(ADMIN, { group: "nowhere" }))).toBe("not-found");
  const token = must(await access.createJoinToken(ADMIN, { group: "db", uses: 2, ttlMs: 60_000 }));
  expect(code(await access.join({ token: "baton_join_guess", name: "a" }, "::1"))).toBe("join-token-invalid");
  const joined = must(await access.join({ token: token.secret, name: "a" }, "::1"));
  expect(joined).toMatchObject({ name: "a", group: "db", membership: "pending" });
  expect(code(await access.join({ token: token.secret, name: "a" }, "::1"))).toBe("name-taken");
  expect(await access.authenticate(joined.credential, "::1")).toMatchObject({
    kind: "node",
    nodeId: joined.nodeId,
    membership: "pending",
  });
  expect(must(await house.baton.leases.view("db")).voters).toBe(0);
  expect(code(await nodes.start(ADMIN, joined.nodeId, "update", {}))).toBe("node-not-approved");
  expect(must(await nodes.approve(ADMIN, joined.nodeId)).membership).toBe("approved");
  expect(must(await house.baton.leases.view("db")).voters).toBe(1);
  must(await access.join({ token: token.secret, name: "b" }, "::1"));
  expect(code(await access.join({ token: token.secret, name: "c" }, "::1"))).toBe("join-token-invalid");
  const late = must(await access.createJoinToken(ADMIN, { group: "db", ttlMs: 1_000 }));
  house.clock.pass(1_000);
  expect(code(await access.join({ token: late.secret, name: "d" }, "::1"))).toBe("join-token-invalid");
});

test("pending approvals survive a restart", async () => {
  await using house = await House.build();
  must(await house.baton.groups.create(ADMIN, { name: "db" }));
  const token = must(await house.baton.access.createJoinToken(ADMIN, { group: "db" }));
  const joined = must(await house.baton.access.join({ token: token.secret, name: "a" }, "::1"));
  await house.restart();
  expect(must(await house.baton.nodes.get(joined.nodeId)).membership).toBe("pending");
  expect(must(await house.baton.nodes.approve(ADMIN, joined.nodeId)).membership).toBe("approved");
});

test("a revoked node is nobody: its door is closed, its session is over, and it stays a voter until it is removed", async () => {
  await using house = await House.build();
  const [a] = await house.group("db", "quorum", ["a", "b", "c"], "1.0.0");
  if (a === undefined) throw new Error("an agent");
  let revoked = 0;
  house.baton.sessions.attach(a.id, {
    send: () => undefined,
    superseded: () => undefined,
    revoked: () => (revoked += 1),
  });
  must(await house.baton.nodes.revoke(ADMIN, a.id));
  expect(revoked).toBe(1);
  expect(await house.baton.access.authenticate(a.credential, "::1")).toBeNull();
  expect((await a.beat())[0]).toMatchObject({ type: "refused", code: "unknown-session" });
  expect(must(await house.baton.leases.view("db"))).toMatchObject({ voters: 3, serving: 2 });
  expect(code(await house.baton.nodes.approve(ADMIN, a.id))).toBe("wrong-state");
  must(await house.baton.nodes.remove(ADMIN, a.id));
  expect(must(await house.baton.leases.view("db")).voters).toBe(2);
  expect(code(await house.baton.nodes.remove(ADMIN, a.id))).toBe("not-found");
});

test("operator tokens have a role, an end, and can be taken back", async () => {
  await using house = await House.build();
  const { access } = house.baton;
  const made = must(await access.createToken(ADMIN, { name: "ci", role: "operator", ttlMs: 60_000 }));
  expect(await access.authenticate(made.secret, "::1")).toEqual({
    kind: "operator",
    id: made.token.id,
    name: "ci",
    role: "operator",
    from: "::1",
  });
  expect((await access.listTokens())[0]).toMatchObject({
    name: "ci",
    revoked: false,
    lastUsedAt: house.clock.now(),
  });
  house.clock.pass(60_000);
  expect(await access.authenticate(made.secret, "::1")).toBeNull();
  const other = must(await access.createToken(ADMIN, { name: "ops", role: "admin" }));
  expect(must(await access.revokeToken(ADMIN, other.token.id)).revoked).toBe(true);
  expect(await access.authenticate(other.secret, "::1")).toBeNull();
  expect(code(await access.revokeToken(ADMIN, "o-none"))).toBe("not-found");
});

test("no secret is ever on the disk", async () => {
  await using house = await House.build();
  const [a] = await house.group("db", "quorum", ["a"], "1.0.0");
  const made = must(await house.baton.access.createToken(ADMIN, { name: "ci", role: "viewer" }));
  const join_ = must(await house.baton.access.createJoinToken(ADMIN, { group: "db" }));
  const secrets = [a?.credential ?? "", made.secret, join_.secret];
  for (const name of await readdir(house.dir)) {
    const bytes = await readFile(join(house.dir, name), "latin1");
    for (const secret of secrets) expect(bytes.includes(secret)).toBe(false);
  }
});

test("every change is in the audit log: who, what, on what, before, after, from where", async () => {
  await using house = await House.build();
  const [a] = await house.group("db", "quorum", ["a"], "1.0.0");
  must(await house.baton.groups.edit(ADMIN, "db", { spare: 1 }));
  must(await house.baton.nodes.edit(ADMIN, a?.id ?? "", { labels: { rack: "r1" }, voter: false }));
  const actions = (await house.baton.audit.list(10)).map((entry) => entry.action);
  expect(actions).toEqual([
    "node.edited",
    "group.edited",
    "node.joined",
    "join-token.created",
    "group.created",
  ]);
  expect((await house.baton.audit.list(2))[1]).toMatchObject({
    actor: "operator ada",
    subject: "db",
    before: { spare: null },
    after: { spare: 1 },
    from: "127.0.0.1",
  });
});

test("metadata that expires raises an alert once, which resolves when it was signed anew", async () => {
  await using house = await House.build();
  house.shelf.expires = [{ role: "root", expires: "2026-08-01T00:00:00Z", leftMs: 86_400_000 }];
  await house.baton.tick();
  house.clock.pass(60_000);
  await house.baton.tick();
  expect((await house.baton.alerts.list()).map((alert) => [alert.kind, alert.resolvedAt])).toEqual([
    ["metadata_expiring", null],
  ]);
  expect(house.shelf.resigned).toBe(2);
  house.shelf.expires = [];
  house.clock.pass(60_000);
  await house.baton.tick();
  expect((await house.baton.alerts.list())[0]?.resolvedAt).not.toBeNull();
});
