import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Client } from "./client.ts";
import { Simulator } from "./simulator.ts";

let sim: Simulator;
let client: Client;
beforeEach(async () => {
  sim = new Simulator();
  client = await Client.make(sim);
});
afterEach(() => client.remove());

describe("replay and rollback", () => {
  it.each([
    ["the whole cache is lost", () => client.loseCache()],
    [
      "the snapshot is lost and the timestamp is torn",
      async () => {
        await rm(client.cached("snapshot.json"));
        await client.tear("timestamp.json");
      },
    ],
  ])("the floor protects when %s", async (_what, damage) => {
    const replay = sim.capture();
    sim.release("1.1.0");
    sim.publish();
    await client.refreshed();
    const news = sim.capture();
    replay();
    await damage();
    expect(await client.refresh()).toBe("rolled-back");
    news();
    expect((await client.refreshed()).versions.targets).toBe(2);
  });

  it.each(["targets", "snapshot"] as const)(
    "the floor protects %s on its own, when what is above it is new",
    async (role) => {
      sim.publish();
      sim.publish();
      await client.refreshed();
      await client.loseCache();
      sim[role].version = 1;
      if (role === "targets") sim.snapshot.version += 1;
      sim.timestamp.version += 1;
      sim.serveAll();
      expect(await client.refresh()).toBe("rolled-back");
    },
  );

  it("the floor protects the timestamp on its own, when what is below it is the same", async () => {
    sim.timestamp.version = 5;
    sim.serveTimestamp();
    await client.refreshed();
    await client.loseCache();
    sim.timestamp.version = 4;
    sim.serveTimestamp();
    expect(await client.refresh()).toBe("rolled-back");
  });

  it("the floor protects the root as well", async () => {
    sim.bumpRoot();
    await client.refreshed();
    await client.loseCache();
    sim.files.delete("2.root.json");
    expect(await client.refresh()).toBe("rolled-back");
  });

  it("the cache protects when the floor is torn, which is said and mended", async () => {
    const replay = sim.capture();
    sim.publish();
    await client.refreshed();
    const news = sim.capture();
    await writeFile(join(client.stateDir, "trust-floor.json"), '{"format":1,"pi');
    replay();
    expect(await client.refusal()).toBe("rolled-back");
    news();
    const { notes } = await client.refreshed();
    expect(notes.join()).toContain("trust-floor.json is not JSON");
    expect((await client.refreshed()).notes).toEqual([]);
  });
});
