import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { Sampler } from "./sampler.ts";

type Workload = { status: number; body: object; readonly server: Server; readonly url: string };

const workloads: Workload[] = [];
afterEach(() => {
  for (const { server } of workloads.splice(0)) server.close();
});

async function workload(body: object): Promise<Workload> {
  const server = createServer((_request, response) => {
    response.writeHead(one.status).end(JSON.stringify(one.body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const one: Workload = {
    status: 200,
    body,
    server,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
  };
  workloads.push(one);
  return one;
}

const seen = (sampler: Sampler, node: string) => expect.poll(() => sampler.samples(node).at(-1));

test("sees versions, roles, and outages with their reasons", async () => {
  const [a, b] = [await workload({ version: "1.0.0", role: "leader" }), await workload({ version: "1.0.0" })];
  const sampler = new Sampler({ targets: { a: a.url, b: b.url }, everyMs: 5 });
  await seen(sampler, "a").toMatchObject({ up: true, version: "1.0.0", role: "leader" });
  a.status = 503;
  await seen(sampler, "a").toMatchObject({ up: false, why: "HTTP 503" });
  Object.assign(a, { status: 200, body: { version: "1.1.0" } });
  await seen(sampler, "a").toMatchObject({ up: true, version: "1.1.0" });
  b.body = { healthy: false };
  await seen(sampler, "b").toMatchObject({ up: false, why: "unhealthy" });
  b.body = {};
  await seen(sampler, "b").toMatchObject({ up: true });
  await sampler.stop();
  expect(sampler.outages()).toMatchObject([
    { node: "a", why: "HTTP 503" },
    { node: "b", why: "unhealthy" },
  ]);
  expect(sampler.versions("a").map((one) => one.version)).toEqual(["1.0.0", "1.1.0"]);
  expect(sampler.mostDown().count).toBe(1);
  const looks = sampler.looks;
  await sampler.stop();
  expect(sampler.looks).toBe(looks);
});

test("counts those that are down at the same instant", async () => {
  const [a, b] = [await workload({}), await workload({})];
  const sampler = new Sampler({ targets: { a: a.url, b: b.url }, everyMs: 5 });
  await seen(sampler, "b").toMatchObject({ up: true });
  a.status = 503;
  b.server.close();
  await expect.poll(() => sampler.mostDown()).toMatchObject({ count: 2, nodes: ["a", "b"] });
  await sampler.stop();
  expect(sampler.samples("b").at(-1)).toMatchObject({ up: false, why: "ECONNREFUSED" });
});

test("a look that alone has no answer, between others that have one, is no outage; two in a row are", async () => {
  for (const [lost, outages] of [
    [[3], 0],
    [[3, 4], 1],
  ] as const) {
    let looks = 0;
    const server = createServer((_, response) => {
      looks += 1;
      if (!lost.some((one) => one === looks)) response.end("{}");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const sampler = new Sampler({ targets: { a: url }, everyMs: 100, timeoutMs: 2_000 });
    await expect.poll(() => looks, { timeout: 20_000 }).toBeGreaterThan(5);
    await sampler.stop();
    server.closeAllConnections();
    server.close();
    expect(sampler.outages()).toHaveLength(outages);
  }
});

test("a workload that gives no answer in time is down, and its outage lasts to the end", async () => {
  const server = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const sampler = new Sampler({ targets: { a: url }, everyMs: 5, timeoutMs: 30 });
  await seen(sampler, "a").toMatchObject({ up: false, why: "no answer in time" });
  await sampler.stop();
  server.closeAllConnections();
  server.close();
  expect(sampler.outages()).toHaveLength(1);
});
