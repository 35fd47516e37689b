/** Who is let in, turned away and taken out; and what that does to a group. */
import { expect, test } from "vitest";
import { ADMIN, code, House, must, three } from "./house.ts";

const joined = async (house: House, token: string, name: string) =>
  must(await house.baton.access.join({ token, name }, "192.0.2.9"));

test("join tokens are listed without their secrets, count their uses, and can be taken back", async () => {
  await using house = await House.build();
  const { access, groups } = house.baton;
  must(await groups.create(ADMIN, { name: "db" }));
  const token = must(await access.createJoinToken(ADMIN, { group: "db", uses: 2, ttlMs: 60_000 }));
  await joined(house, token.secret, "a");
  const listed = await access.listJoinTokens();
  expect(listed).toEqual([
    {
      id: token.id,
      group: "db",
      voter: true,
      autoApprove: false,
      usesLeft: 1,
      createdAt: house.clock.now(),
      createdBy: "operator ada",
      expiresAt: house.clock.now() + 60_000,
      revoked: false,
    },
  ]);
  expect(JSON.stringify(listed)).not.toContain(token.secret);
  expect(must(await access.revokeJoinToken(ADMIN, token.id)).revoked).toBe(true);
  const changes = await house.baton.audit.list(100);
  expect(must(await access.revokeJoinToken(ADMIN, token.id)).revoked).toBe(true);
  expect(await house.baton.audit.list(100)).toEqual(changes);
  expect(code(await access.join({ token: token.secret, name: "b" }, "::1"))).toBe("join-token-invalid");
  expect(code(await access.revokeJoinToken(ADMIN, "t-nobody000000"))).toBe("not-found");
});

test("a node that waits can be turned away, and is then nobody; a member cannot", async () => {
  await using house = await House.build();
  const { access, nodes, groups } = house.baton;
  must(await groups.create(ADMIN, { name: "db", mode: "quorum" }));
  const token = must(await access.createJoinToken(ADMIN, { group: "db", uses: 3 }));
  const a = await joined(house, token.secret, "a");
  let gone = 0;
  const door = { send: () => undefined, superseded: () => undefined, revoked: () => (gone += 1) };
  house.baton.sessions.attach(a.nodeId, door);
  expect(must(await nodes.reject(ADMIN, a.nodeId)).membership).toBe("pending");
  expect(gone).toBe(1);
  expect(await access.authenticate(a.credential, "::1")).toBeNull();
  expect(code(await nodes.get(a.nodeId))).toBe("not-found");
  expect(code(await nodes.reject(ADMIN, a.nodeId))).toBe("not-found");
  expect((await house.baton.audit.list(1))[0]).toMatchObject({
    action: "node.rejected",
    before: { name: "a", membership: "pending" },
    after: null,
  });
  // Its name is free again.
  const b = await joined(house, token.secret, "a");
  must(await nodes.approve(ADMIN, b.nodeId));
  expect(await nodes.reject(ADMIN, b.nodeId)).toMatchObject({
    error: { code: "wrong-state", context: { state: "approved" } },
  });
});

test("what a removal would do is told before, and nothing is done", async () => {
  await using house = await House.build();
  const [a, b, c] = three(await house.group("db", "quorum", ["a", "b", "c"], "1.0.0"));
  const preview = async (id: string) => must(await house.baton.nodes.removal(id));
  expect(await preview(a.id)).toEqual({
    group: "db",
    mode: "quorum",
    votersBefore: 3,
    votersAfter: 2,
    quorumBefore: 2,
    quorumAfter: 2,
    servingAfter: 2,
    holdsLease: false,
    warning:
      "db goes from 3 voters with a quorum of 2 to 2 with 2. It can then lose nobody, and is not updated without --accept-outage.",
  });
  await house.beats(4, a, c);
  expect((await preview(a.id)).warning).toContain("Only 1 of them serve right now, which is no quorum.");
  const observer = await house.join("db", "observer", "1.0.0", false);
  expect(await preview(observer.id)).toMatchObject({ votersAfter: 3, warning: null });
  await b.beat();
  house.shelf.put("1.1.0");
  must(await house.baton.nodes.start(ADMIN, a.id, "update", {}));
  await a.beat();
  await a.prepare();
  await a.goDown();
  const busy = await preview(a.id);
  expect(busy.holdsLease).toBe(true);
  expect(busy.warning).toContain("a holds a lease, or owes its last word on one");
  expect(must(await house.baton.nodes.get(a.id)).membership).toBe("approved");
  expect(code(await house.baton.nodes.removal("n-nobody000000"))).toBe("not-found");
  const [web] = await house.group("web", "independent", ["x"], "1.0.0");
  expect(await preview(web?.id ?? "")).toMatchObject({ mode: "independent", warning: null });
});

test("a group goes when nobody is in it and nothing is under way; who was to join it cannot", async () => {
  await using house = await House.build();
  const { groups, nodes, access, rollouts } = house.baton;
  const [a] = await house.group("db", "quorum", ["a"], "1.0.0");
  const token = must(await access.createJoinToken(ADMIN, { group: "db" }));
  expect(await groups.remove(ADMIN, "db")).toMatchObject({
    error: { code: "wrong-state", message: "db still has 1 node.", context: { nodes: 1 } },
  });
  house.shelf.put("1.1.0");
  must(await rollouts.start(ADMIN, { selection: { groups: ["db"] }, acceptOutage: true }));
  must(await groups.create(ADMIN, { name: "web" }));
  must(await nodes.remove(ADMIN, a?.id ?? ""));
  await house.baton.tick();
  expect(must(await groups.remove(ADMIN, "db"))).toMatchObject({ name: "db", nodes: 0 });
  expect(code(await groups.get("db"))).toBe("not-found");
  expect(code(await groups.remove(ADMIN, "db"))).toBe("not-found");
  expect((await access.listJoinTokens()).find(({ id }) => id === token.id)?.revoked).toBe(true);
  expect(code(await access.join({ token: token.secret, name: "z" }, "::1"))).toBe("join-token-invalid");
  expect((await house.baton.audit.list(2)).map(({ action }) => action).sort()).toEqual([
    "group.removed",
    "join-token.revoked",
  ]);
  must(await groups.create(ADMIN, { name: "db", mode: "quorum" }));
});

test("where a node was heard from is known, also while it is away and after a restart", async () => {
  await using house = await House.build();
  const [a] = await house.group("db", "independent", ["a"], "1.0.0");
  if (a === undefined) throw new Error("no agent");
  const address = async () => must(await house.baton.nodes.get(a.id)).address;
  expect(await address()).toBeNull();
  const hear = (from: string) => house.baton.sessions.receive(a.id, [a.heartbeat], from);
  await hear("192.0.2.1");
  const writes = house.countWrites();
  await hear("192.0.2.1");
  expect(writes()).toBe(0);
  await hear("2001:db8::7");
  expect(await address()).toBe("2001:db8::7");
  await house.restart();
  expect(await address()).toBe("2001:db8::7");
});
