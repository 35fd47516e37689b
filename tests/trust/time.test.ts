import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { tufInstant } from "../../protocol/metadata.ts";
import { Client } from "./client.ts";
import { DAY, NOW, Simulator } from "./simulator.ts";

let sim: Simulator;
let client: Client;
beforeEach(async () => {
  sim = new Simulator();
  client = await Client.make(sim);
});
afterEach(() => client.remove());

describe("time", () => {
  it.each(["root", "targets", "snapshot", "timestamp"] as const)(
    "%s that has expired is refused",
    async (role) => {
      const expires = tufInstant(NOW - 1000);
      if (role === "root") sim.bumpRoot((root) => ({ ...root, expires }));
      else sim[role].expires = expires;
      sim.resign();
      expect(await client.refresh()).toBe("expired");
    },
  );

  it("an expired root is passed on the way to one that is not", async () => {
    sim.bumpRoot((root) => ({ ...root, expires: tufInstant(NOW - DAY) }));
    sim.bumpRoot((root) => ({ ...root, expires: tufInstant(NOW + DAY) }));
    expect((await client.refreshed()).versions.root).toBe(3);
  });

  it("a clock that fell back does not bring old metadata to life", async () => {
    const replay = sim.capture();
    sim.timestamp.signed_at = tufInstant(NOW + 3 * DAY);
    sim.timestamp.expires = tufInstant(NOW + 4 * DAY);
    sim.resign();
    client.now = NOW + 3 * DAY;
    await client.refreshed();
    replay();
    await client.loseCache();
    client.now = 0;
    expect(await client.refresh()).toBe("expired");
  });

  it("a clock in 1970 on a new node counts from when its build was made", async () => {
    client.now = 0;
    client.builtAt = NOW + 2 * DAY;
    expect(await client.refresh()).toBe("expired");
    client.builtAt = NOW - DAY;
    expect(await client.refresh()).toBe("ok");
  });

  it("a clock in 2099 refuses everything, and is forgotten once it is right", async () => {
    await client.refreshed();
    client.now = Date.parse("2099-01-01T00:00:00Z");
    sim.resign();
    expect(await client.refusal()).toBe("expired");
    client.now = NOW + 1000;
    expect(await client.refresh()).toBe("ok");
  });

  it("a clock that is hours ahead while metadata still counts does not lock the node out afterwards", async () => {
    client.now = NOW + 20 * 3_600_000;
    expect(await client.refresh()).toBe("ok");
    client.now = NOW;
    sim.timestamp.expires = tufInstant(NOW + 3_600_000);
    sim.resign();
    expect(await client.refresh()).toBe("ok");
  });

  it("a coordinator that claims to sign in 2099 does not move this node's time", async () => {
    sim.timestamp.signed_at = "2099-01-01T00:00:00Z";
    sim.resign();
    await client.refreshed();
    sim.timestamp.signed_at = tufInstant(NOW);
    sim.resign();
    expect(await client.refresh()).toBe("ok");
  });
});
