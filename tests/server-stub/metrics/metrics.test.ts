import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { METRICS } from "../../../server-stub/metrics/catalogue.ts";
import { startCoordinator, type TestCoordinator } from "../harness/coordinator.ts";
import { greet, heartbeatOf, joinNode, openSocket } from "../harness/node.ts";
import { numberOf, readScrape, type Scraped } from "./scrape.ts";

describe("GET /metrics", () => {
  let coordinator: TestCoordinator;
  beforeAll(async () => {
    coordinator = await startCoordinator('[metrics]\nlisten = "127.0.0.1:0"');
  });
  afterAll(() => coordinator.stop());
  const scrape = async (): Promise<Scraped> => {
    const answer = await fetch(`${coordinator.url}/metrics`, {
      headers: { authorization: `Bearer ${coordinator.adminToken}` },
    });
    expect(answer.headers.get("content-type")).toContain("text/plain; version=0.0.4");
    return readScrape(await answer.text());
  };

  test("tells every metric of the catalogue, with its kind and its labels, and none beside", async () => {
    await coordinator.call("GET", "/v1/nodes");
    const { kinds, series } = await scrape();
    expect(Object.fromEntries(kinds)).toEqual(
      Object.fromEntries(Object.entries(METRICS).map(([name, { kind }]) => [name, kind])),
    );
    for (const { name, labels } of series) {
      const known = METRICS[name.replace(/_(bucket|sum|count)$/, "") as keyof typeof METRICS];
      const { le: _le, ...own } = labels;
      expect({ name, labels: Object.keys(own) }).toEqual({ name, labels: [...known.labels] });
    }
  });

  test("counts nodes, sessions and what they say", async () => {
    const before = numberOf(await scrape(), "baton_heartbeats_total", { result: "counted" }) ?? 0;
    const node = await joinNode(coordinator, { name: "counted" });
    const opened = await openSocket(coordinator, node.credential);
    try {
      const instanceId = crypto.randomUUID();
      const session = await greet(opened, instanceId);
      // The same words again and again count like the first.
      for (let seq = 1; seq <= 4; seq += 1) {
        opened.send(heartbeatOf(session, seq, instanceId));
        await opened.next();
      }
      const after = await scrape();
      expect(numberOf(after, "baton_nodes", { membership: "approved", presence: "online" })).toBe(1);
      expect(numberOf(after, "baton_sessions", { transport: "websocket" })).toBe(1);
      expect(numberOf(after, "baton_nodes_version", { version: "1.0.0" })).toBe(1);
      expect(numberOf(after, "baton_heartbeats_total", { result: "counted" })).toBe(before + 5);
    } finally {
      opened.socket.close();
    }
  });

  test("names no node, group or address, whatever was asked for", async () => {
    await coordinator.call("GET", "/v1/groups/very-secret-name");
    await coordinator.call("GET", "/nowhere/very-secret-name");
    await coordinator.call("PROPFIND", "/v1/nodes");
    const { series } = await scrape();
    const said = series.flatMap(({ labels }) => Object.values(labels)).join(" ");
    expect(said).not.toContain("very-secret-name");
    expect(said).not.toContain("PROPFIND");
    expect(said).not.toContain("127.0.0.1");
    const requests = "baton_http_request_duration_seconds_count";
    expect(
      numberOf({ kinds: new Map(), series }, requests, { route: "/v1/groups/:group", status: "4xx" }),
    ).toBe(1);
    expect(numberOf({ kinds: new Map(), series }, requests, { route: "none", method: "any" })).toBe(2);
  });

  test("times the engine, the store and the requests", async () => {
    await coordinator.call("POST", "/v1/groups", { body: { name: "timed" } });
    const scraped = await scrape();
    for (const name of ["baton_engine_tick", "baton_store_apply", "baton_http_request"])
      expect(numberOf(scraped, `${name}_duration_seconds_count`)).toBeGreaterThan(0);
    expect(numberOf(scraped, "baton_ready")).toBe(1);
    expect(numberOf(scraped, "baton_engine_errors_total", { unit: "rollout" })).toBe(0);
  });

  test("needs a viewer's token, and none at the address of its own, which tells nothing else", async () => {
    expect((await fetch(`${coordinator.url}/metrics`)).status).toBe(401);
    const { metrics } = await coordinator.heard(({ msg }) => msg === "listening");
    const open = await fetch(String(metrics));
    expect(open.status).toBe(200);
    expect(await open.text()).toContain("baton_build_info{");
    for (const path of ["/", "/v1/nodes", "/metrics/x"])
      expect((await fetch(new URL(path, String(metrics)))).status).toBe(404);
    expect((await fetch(String(metrics), { method: "POST" })).status).toBe(404);
  });
});

describe("with public = true", () => {
  test("anybody is told, whatever credential is shown", async () => {
    const coordinator = await startCoordinator("[metrics]\npublic = true");
    try {
      for (const headers of [{}, { authorization: "Bearer nonsense" }])
        expect((await fetch(`${coordinator.url}/metrics`, { headers })).status).toBe(200);
      expect((await coordinator.call("GET", "/v1/nodes", { token: null })).status).toBe(401);
    } finally {
      await coordinator.stop();
    }
  });
});

describe("the settings", () => {
  test("refuse an address that is none", async () => {
    await expect(startCoordinator('[metrics]\nlisten = "9420"')).rejects.toThrow("metrics.listen");
    await expect(startCoordinator('[metrics]\nlisten = "127.0.0.1:99999"')).rejects.toThrow("65535");
  });
});
