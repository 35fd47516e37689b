import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { metadataText, signMetadata } from "../../protocol/metadata.ts";
import { Client } from "./client.ts";
import { newSigner, Simulator } from "./simulator.ts";

let sim: Simulator;
let client: Client;
beforeEach(async () => {
  sim = new Simulator();
  client = await Client.make(sim);
});
afterEach(() => client.remove());

describe("what is not genuine is refused, and what was trusted stands", () => {
  beforeEach(() => client.refreshed());

  it("a root that is signed by itself but not by the one before", async () => {
    const strangers = [newSigner()];
    sim.rotate("root", strangers);
    sim.serveRoot(strangers);
    expect(await client.refusal()).toBe("root-not-chained");
  });

  it("a root that is signed by the one before but not by itself", async () => {
    const old = sim.signers.root;
    sim.rotate("root");
    sim.serveRoot(old);
    expect(await client.refusal()).toBe("root-not-chained");
  });

  it("a root that skips a version, or repeats one", async () => {
    sim.bumpRoot((root) => ({ ...root, version: 3 }));
    const three = sim.files.get("3.root.json");
    if (three === undefined) throw new Error("not served");
    sim.serve("2.root.json", three);
    expect(await client.refusal()).toBe("root-not-chained");
    sim.serve("2.root.json", sim.files.get("1.root.json") ?? "");
    expect(await client.refusal()).toBe("root-not-chained");
  });

  it.each([
    ["something else", "<html>sign in to the network</html>"],
    ["nothing", ""],
    ["null", "null"],
    ["JSON of another shape", '{"signatures":[],"signed":{"_type":"timestamp"}}'],
    ["metadata of another role", "SNAPSHOT"],
  ])("%s instead of a timestamp", async (_what, text) => {
    const snapshot = sim.files.get("1.snapshot.json") ?? "";
    sim.serve("timestamp.json", text === "SNAPSHOT" ? snapshot : text);
    expect(await client.refusal()).toBe("malformed");
  });

  it("a snapshot that no longer names the targets", async () => {
    sim.publish();
    sim.snapshot.version += 1;
    const signed = { ...sim.snapshot, meta: { "others.json": { version: 1 } } };
    const text = metadataText(signMetadata(signed, sim.signers.snapshot));
    sim.serve(`${sim.snapshot.version}.snapshot.json`, text);
    sim.timestamp.version += 1;
    sim.timestamp.meta = { "snapshot.json": { version: sim.snapshot.version } };
    sim.serveTimestamp();
    expect(await client.refusal()).toBe("mix-and-match");
  });
});
