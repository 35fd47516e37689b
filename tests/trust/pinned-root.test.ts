import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fetchPinnedRoot } from "../../agent/effects/trust/pin.ts";
import { type RootMetadata, rootFingerprint } from "../../protocol/metadata.ts";
import { Client } from "./client.ts";
import { Simulator, sha256 } from "./simulator.ts";

let sim: Simulator;
let client: Client;
beforeEach(async () => {
  sim = new Simulator();
  client = await Client.make(sim);
});
afterEach(() => client.remove());

describe("the pinned root", () => {
  const fingerprintOf = (bytes: Buffer) => rootFingerprint(JSON.parse(String(bytes)) as RootMetadata);

  it("is found by its fingerprint, whichever version it is", async () => {
    sim.rotate("root");
    const second = sim.pinnedRoot;
    sim.rotate("timestamp");
    const found = await fetchPinnedRoot({ ...client.options, fingerprint: fingerprintOf(second) });
    expect(found).toEqual({ ok: true, value: second });
  });

  it("is refused when no root has the fingerprint", async () => {
    const found = await fetchPinnedRoot({ ...client.options, fingerprint: sha256("another") });
    expect(found).toMatchObject({ error: { code: "bad-root" } });
    expect(
      await fetchPinnedRoot({
        ...client.options,
        fingerprint: "",
        fetch: () => Promise.reject(new Error("x")),
      }),
    ).toMatchObject({ error: { code: "unreachable" } });
  });

  it("is refused when it is torn, unsigned or something else", async () => {
    const good = client.pinnedRoot;
    for (const bytes of [good.subarray(0, 100), Buffer.from("{}"), Buffer.alloc(0)]) {
      client.pinnedRoot = bytes;
      expect(await client.refresh()).toBe("bad-root");
    }
    const unsigned = JSON.parse(String(good));
    unsigned.signatures = [];
    client.pinnedRoot = Buffer.from(JSON.stringify(unsigned));
    expect(await client.refresh()).toBe("bad-root");
  });

  it("of another fleet begins anew: nothing of the old one counts", async () => {
    sim.bumpRoot();
    sim.publish();
    await client.refreshed();
    const other = new Simulator();
    client.pinnedRoot = other.pinnedRoot;
    client.fetch = other.fetch;
    expect((await client.refreshed()).versions).toEqual({ root: 1, timestamp: 1, snapshot: 1, targets: 1 });
  });

  it("that is newer than the cached one counts", async () => {
    await client.refreshed();
    sim.rotate("root");
    client.pinnedRoot = sim.pinnedRoot;
    sim.files.delete("2.root.json");
    await rm(join(client.stateDir, "trust-floor.json"));
    expect((await client.refreshed()).versions.root).toBe(2);
  });
});
