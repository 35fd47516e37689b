import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fetchPinnedRoot } from "../../agent/effects/trust/pin.ts";
import { type RootMetadata, rootFingerprint } from "../../protocol/metadata.ts";
import { Client } from "./client.ts";
import { Simulator } from "./simulator.ts";

let sim: Simulator;
let client: Client;
beforeEach(async () => {
  sim = new Simulator();
  client = await Client.make(sim);
});
afterEach(() => client.remove());

describe("keys that are replaced", () => {
  it.each(["root", "targets", "snapshot", "timestamp"] as const)(
    "%s: the node follows by itself",
    async (role) => {
      await client.refreshed();
      sim.rotate(role);
      sim.release("1.1.0");
      sim.publish();
      const { versions, bundles } = await client.refreshed();
      expect(versions.root).toBe(2);
      expect(bundles).toHaveLength(2);
    },
  );

  it("all of them, several times over, also for a node that slept meanwhile", async () => {
    await client.refreshed();
    for (let round = 0; round < 3; round++) {
      for (const role of ["root", "targets", "snapshot", "timestamp"] as const) sim.rotate(role);
      sim.publish();
    }
    expect((await client.refreshed()).versions.root).toBe(13);
  });

  it.each(["targets", "snapshot", "timestamp"] as const)(
    "%s: the old key signs nothing any more",
    async (role) => {
      await client.refreshed();
      const old = sim.signers[role];
      sim.rotate(role);
      sim.signers = { ...sim.signers, [role]: old };
      sim.publish();
      expect(await client.refresh()).toBe("bad-signature");
    },
  );

  it("a revoked key stays revoked although the rest of that refresh failed", async () => {
    await client.refreshed();
    const stolen = sim.signers.timestamp;
    sim.rotate("timestamp");
    sim.files.delete("timestamp.json");
    expect(await client.refresh()).toBe("missing-metadata");
    expect(await client.version("root")).toBe(2);
    // Now the thief hides the new root and signs with the old key.
    sim.files.delete("2.root.json");
    sim.signers = { ...sim.signers, timestamp: stolen };
    sim.resign();
    expect(await client.refresh()).toBe("bad-signature");
  });

  it("a snapshot counted up to the end is forgotten with the timestamp's key as well", async () => {
    sim.snapshot.version = Number.MAX_SAFE_INTEGER - 1;
    sim.serveAll();
    await client.refreshed();
    sim.snapshot.version = 2;
    sim.rotate("timestamp");
    sim.serveAll();
    expect((await client.refreshed()).versions.snapshot).toBe(2);
  });

  it("two ids for one key do not make two signatures", async () => {
    const [only] = sim.signers.root;
    if (only === undefined) throw new Error("no key");
    sim.bumpRoot((root) => {
      const twin = "f".repeat(64);
      const key = root.keys[only.keyid];
      if (key === undefined) throw new Error("no key");
      return {
        ...root,
        keys: { ...root.keys, [twin]: key },
        roles: { ...root.roles, targets: { keyids: [only.keyid, twin], threshold: 2 } },
      };
    });
    const fingerprint = rootFingerprint(JSON.parse(String(sim.pinnedRoot)) as RootMetadata);
    const joined = await fetchPinnedRoot({ ...client.options, fingerprint });
    expect(joined).toMatchObject({ error: { code: "bad-root" } });
  });
});
