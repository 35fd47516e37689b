import { describe, expect, test } from "vitest";
import type { Node } from "../../../protocol/node.ts";
import { orderOf, outdatedOf, toggled } from "../../../server-stub/web/pages/start-rollout/order.ts";

const order = (query: string) => orderOf(new URLSearchParams(query));
const NODE = {
  id: "n-000000000001",
  name: "anna",
  group: "db",
  labels: { rack: "a1" },
  membership: "approved",
  presence: "online",
  build: { version: "1.0.0", buildHash: "a".repeat(64) },
  latest: "1.1.0",
  outdated: true,
} as unknown as Node;
const node = (more: Partial<Node>): Node => ({ ...NODE, ...more });
const CHANNELS = new Map([["db", "stable"]]);

describe("what the address orders", () => {
  test("nobody is chosen by saying nothing", () => {
    expect(order("").request).toBeNull();
    expect(order("release=1.1.0&retry=1").request).toBeNull();
  });

  test("all of it", () => {
    const query =
      "release=1.1.0&groups=db,web&channel=stable&labels=rack=a1,%20owner=x&nodes=anna&stages=10,100" +
      "&concurrency=2&threshold=50&pause=30&offline=skip&outage=1&retry=1&unhealthy=bert";
    expect(order(query).request).toEqual({
      selection: {
        groups: ["db", "web"],
        nodes: ["anna"],
        labels: { rack: "a1", owner: "x" },
        channel: "stable",
      },
      release: "1.1.0",
      policy: { stages: [0.1, 1], concurrency: 2, threshold: 0.5, pauseMs: 30_000, offline: "skip" },
      acceptOutage: true,
      retry: true,
      allowUnhealthy: ["bert"],
    });
    expect(order("all=1&pause=ask").request).toEqual({ selection: { all: true }, policy: { pauseMs: null } });
  });

  test.each([
    ["labels=rack", "labels"],
    ["stages=50,10", "stages"],
    ["stages=10,50", "stages"],
    ["stages=a,100", "stages"],
    ["concurrency=0", "concurrency"],
    ["threshold=101", "threshold"],
    ["pause=soon", "pause"],
  ] as const)("%s is said to be wrong, and nothing is asked for", (query, field) => {
    const { request, wrong } = order(`all=1&${query}`);
    expect(request).toBeNull();
    expect(Object.keys(wrong)).toEqual([field]);
  });
});

describe("who is out of date", () => {
  test.each([
    [{}, { all: true }, null, 1],
    [{}, {}, null, 0],
    [{}, { groups: ["web"] }, null, 0],
    [{}, { groups: ["db"], channel: "stable" }, null, 1],
    [{}, { channel: "next" }, null, 0],
    [{}, { labels: { rack: "a1" } }, null, 1],
    [{}, { labels: { rack: "b2" } }, null, 0],
    [{}, { nodes: ["anna"] }, null, 1],
    [{}, { all: true }, "1.0.0", 0],
    [{ outdated: false, latest: "1.0.0" }, { all: true }, "1.1.0", 1],
    [{ build: null }, { all: true }, "1.1.0", 0],
    [{ membership: "pending" }, { all: true }, null, 0],
    [{ client: "fleet-lock" }, { all: true }, null, 0],
  ] as const)("%o of %o to %s: %i", (more, selection, release, many) => {
    const { online } = outdatedOf([node(more as Partial<Node>)], selection as never, release, CHANNELS);
    expect(online.length).toBe(many);
  });

  test("who is offline is counted, and not listed", () => {
    const found = outdatedOf([node({}), node({ presence: "offline" })], { all: true }, null, CHANNELS);
    expect([found.online.length, found.offline, found.selected]).toEqual([1, 1, 2]);
  });

  test("ticking twice is not ticking", () => {
    expect(toggled(["a"], "b")).toBe("a,b");
    expect(toggled(["a", "b"], "a")).toBe("b");
  });
});
