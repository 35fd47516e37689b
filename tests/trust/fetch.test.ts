import { afterEach, beforeEach, expect, it } from "vitest";
import { Client } from "./client.ts";
import { endless, Mirror } from "./mirror.ts";
import { Simulator } from "./simulator.ts";

let sim: Simulator;
let mirror: Mirror;
let client: Client;
beforeEach(async () => {
  sim = new Simulator();
  mirror = await Mirror.serve(sim);
  client = await Client.make(mirror);
});
afterEach(async () => {
  await mirror[Symbol.asyncDispose]();
  await client.remove();
});

it("a refresh over real HTTP, and again after a file that was cut off", async () => {
  expect((await client.refreshed()).versions.targets).toBe(1);
  mirror.answers.set("timestamp.json", endless);
  expect(await client.refresh()).toBe("too-large");
  mirror.answers.clear();
  sim.release("1.1.0");
  sim.publish();
  expect((await client.refreshed()).bundles).toHaveLength(2);
});

it("nobody there", async () => {
  await mirror.leave();
  expect(await client.refresh()).toBe("unreachable");
});
