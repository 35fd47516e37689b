import { describe, expect, test } from "vitest";
import type { Node } from "../../../protocol/node.ts";
import { behindBy, stateOf, whyNoUpdate } from "../../../server-stub/web/pages/nodes/model.ts";
import { filterNodes, sortNodes, viewOf } from "../../../server-stub/web/pages/nodes/view.ts";
import { countNodes, versionsOf } from "../../../server-stub/web/pages/overview/model.ts";
import { BUILD, node } from "./node.ts";

const outdated = { latest: "1.4.0", outdated: true };

describe("what a node's row says", () => {
  test.each([
    [{}, "good", "serving"],
    [{ hold: true }, "good", "serving, on hold"],
    [{ membership: "pending" }, "warn", "waits for approval"],
    [{ membership: "revoked" }, "bad", "revoked"],
    [{ presence: "offline" }, "bad", "offline"],
    [{ presence: "unknown" }, "idle", "not heard yet"],
    [{ health: { healthy: false, detail: "no disk" } }, "warn", "unhealthy"],
    [{ health: { healthy: true, caughtUp: false } }, "warn", "catching up"],
    [{ serving: false }, "warn", "not serving"],
    [{ client: "fleet-lock", presence: "unknown" }, "idle", "speaks FleetLock"],
    [{ client: "fleet-lock", presence: "unknown", serving: false }, "busy", "may reboot"],
  ] as const)("%o: %s, %s", (more, tone, word) => {
    expect(stateOf(node(more as Partial<Node>))).toMatchObject({ tone, word });
  });

  test.each([
    [{}, "It runs 1.3.0 already"],
    [outdated, null],
    [{ ...outdated, presence: "offline" }, "anna is offline"],
    [{ ...outdated, jobId: "j-000000000001" }, "A job is under way on it"],
    [{ ...outdated, membership: "pending" }, "anna is not approved"],
    [{ latest: null }, "No release is published for it"],
    [{ ...outdated, hold: true }, "It is on hold since it was rolled back; its page has a retry"],
  ] as const)("why %o is not updated now: %s", (more, why) => {
    expect(whyNoUpdate(node(more as Partial<Node>))).toBe(why);
  });

  test("a node whose build nobody knows is not behind, neither in its row nor in the count", () => {
    const unknown = node({ build: null, latest: "1.4.0" });
    expect(behindBy(unknown)).toBeNull();
    expect(countNodes([unknown, node(outdated)])).toEqual({ all: 2, online: 2, behind: 1, pending: 0 });
    expect(behindBy(node(outdated))).toBe("1.3.0 → 1.4.0");
  });

  test("a FleetLock client is neither away nor of a version that nobody knows", () => {
    const client = node({ client: "fleet-lock", presence: "unknown", build: null });
    expect(countNodes([client, node({})])).toMatchObject({ all: 1, online: 1 });
    expect(versionsOf([client])).toEqual([]);
  });
});

describe("the table of nodes", () => {
  const view = (text: string) => viewOf(new URLSearchParams(text));
  const nodes = ["node-10", "node-9", "Node-1"].map((name, at) =>
    node({ id: `n-00000000000${at}`, name, group: at === 0 ? "web" : "db", ...(at === 1 ? outdated : {}) }),
  );
  const named = (all: readonly Node[]) => all.map(({ name }) => name);

  test("sorts names as people count, both ways, and by name what is the same otherwise", () => {
    expect(named(sortNodes(nodes, "name", false))).toEqual(["Node-1", "node-9", "node-10"]);
    expect(named(sortNodes(nodes, "name", true))).toEqual(["node-10", "node-9", "Node-1"]);
    expect(named(sortNodes(nodes, "group", true))).toEqual(["node-10", "Node-1", "node-9"]);
  });

  test.each([
    ["", 3],
    ["q=NODE-1", 2],
    ["q=db rack=a1", 2],
    ["show=behind", 1],
    ["show=failed", 1],
    ["group=web", 1],
    ["version=unknown", 0],
    ["q=db&show=behind&group=web", 0],
    ["show=nonsense", 3],
  ])("%s leaves %i", (query, left) => {
    expect(filterNodes(nodes, view(query), new Set(["n-000000000000"]))).toHaveLength(left);
  });

  test("what the address says wrongly is as if it were not said", () => {
    expect(view("sort=-seen&show=x")).toMatchObject({ sort: "seen", down: true, show: null });
    expect(view("sort=nonsense")).toMatchObject({ sort: "name", down: false });
  });

  test("filters ten thousand", () => {
    const many = Array.from({ length: 10_000 }, (_, at) => node({ id: `n-${at}`, name: `node-${at}` }));
    const sorted = sortNodes(many, "name", false);
    expect(filterNodes(sorted, view("q=node-99"), new Set())).toHaveLength(111);
  });

  test("versions are told the newest first, and at last what nobody knows", () => {
    const shares = versionsOf([
      node({}),
      node({ build: { ...BUILD, version: "1.10.0" } }),
      node({ build: null }),
      node({ membership: "pending", build: null }),
    ]);
    expect(shares.map(({ version, nodes: count }) => [version, count])).toEqual([
      ["1.10.0", 1],
      ["1.3.0", 1],
      ["unknown", 1],
    ]);
  });
});
