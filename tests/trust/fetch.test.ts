import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Agent } from "undici";
import { afterEach, beforeEach, expect, it } from "vitest";
import { fetchWith } from "../../agent/effects/trust/fetch.ts";
import { Client } from "./client.ts";
import { METADATA_URL, Simulator } from "./simulator.ts";

let sim: Simulator;
let client: Client;
let server: Server;
let dispatcher: Agent;
let endless = false;

beforeEach(async () => {
  sim = new Simulator();
  client = await Client.make(sim);
  dispatcher = new Agent({ connections: 1 });
  endless = false;
  server = createServer((request, response) => {
    const bytes = sim.files.get((request.url ?? "").replace("/tuf/metadata/", ""));
    if (bytes === undefined)
      return response.writeHead(404, { "content-type": "text/html" }).end("x".repeat(10_000));
    if (!endless) return response.end(bytes);
    const more = () => {
      while (response.write("x".repeat(65_536)));
      response.once("drain", more);
    };
    return more();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/tuf/metadata`;
  const fetch = fetchWith(dispatcher);
  client.fetch = (url, options) => fetch(url.replace(METADATA_URL, base), options);
});
afterEach(async () => {
  await dispatcher.destroy();
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  await client.remove();
});

it("a refresh over real HTTP, and again over the same connection", async () => {
  expect((await client.refreshed()).versions.targets).toBe(1);
  sim.release("1.1.0");
  sim.publish();
  expect((await client.refreshed()).bundles).toHaveLength(2);
});

it("endless data is cut off, and the next refresh is well", async () => {
  endless = true;
  expect(await client.refresh()).toBe("too-large");
  endless = false;
  sim.bumpRoot();
  expect(await client.refresh()).toBe("ok");
});

it("nobody there", async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  expect(await client.refresh()).toBe("unreachable");
});
