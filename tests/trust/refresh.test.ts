import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { refreshTrust } from "../../agent/effects/trust/refresh.ts";
import { Client } from "./client.ts";
import { Simulator } from "./simulator.ts";

let sim: Simulator;
let client: Client;
beforeEach(async () => {
  sim = new Simulator();
  client = await Client.make(sim);
});
afterEach(() => client.remove());

describe("a refresh", () => {
  it("verifies from the pinned root, and answers what is signed", async () => {
    sim.release("1.1.0", { minVersion: "1.0.0" });
    sim.release("1.1.0", { minVersion: "1.0.0" }, "linux-arm64");
    sim.publish();
    const trusted = await client.refreshed();
    expect(trusted.versions).toEqual({ root: 1, timestamp: 2, snapshot: 2, targets: 2 });
    expect(trusted.bundles.map(({ custom }) => `${custom.version} ${custom.platform}`)).toEqual([
      "1.0.0 linux-x64",
      "1.1.0 linux-x64",
      "1.1.0 linux-arm64",
    ]);
    expect(sim.asked).toEqual(["2.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json"]);
  });

  it("fetches only root and timestamp, and writes nothing, when there is no news", async () => {
    await client.refreshed();
    const before = await client.contents();
    sim.asked.length = 0;
    expect(await client.refresh()).toBe("ok");
    expect(sim.asked).toEqual(["2.root.json", "timestamp.json"]);
    expect(await client.contents()).toEqual(before);
  });

  it("follows publishing, one set of files at a time", async () => {
    await client.refreshed();
    for (const version of ["1.1.0", "1.2.0", "1.3.0"]) {
      sim.release(version);
      sim.publish();
      expect((await client.refreshed()).bundles.at(-1)?.custom.version).toBe(version);
    }
    expect(await readdir(join(client.stateDir, "tuf"))).toHaveLength(2); // current, and the set that it names
  });

  it("leaves out what an agent of this version cannot read, and keeps the rest", async () => {
    sim.release("2.0.0", { platform: "plan9-mips" as "linux-x64" });
    sim.release("1.1.0", { somethingNew: { of: "later" } } as object);
    sim.publish();
    const { bundles } = await client.refreshed();
    expect(bundles.map(({ custom }) => custom.version)).toEqual(["1.0.0", "1.1.0"]);
  });
});

describe("what a repository may get wrong", () => {
  beforeEach(() => client.refreshed());

  it("files that are missing", async () => {
    sim.publish();
    sim.files.delete("2.targets.json");
    expect(await client.refusal()).toBe("missing-metadata");
    sim.files.delete("2.snapshot.json");
    expect(await client.refusal()).toBe("missing-metadata");
    sim.files.delete("timestamp.json");
    expect(await client.refusal()).toBe("missing-metadata");
  });

  it("status 500, silence, and slowness", async () => {
    client.fetch = () => Promise.resolve({ status: 500, body: nothing() });
    expect(await client.refusal()).toBe("http-status");
    client.fetch = () => Promise.reject(new Error("connect ECONNREFUSED"));
    expect(await client.refusal()).toBe("unreachable");
    const stalled = refreshTrust({
      ...client.options,
      timeoutMs: 20,
      fetch: (_url, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    });
    expect(await stalled).toMatchObject({ error: { code: "timed-out" } });
  });

  it("403 for a file that is not there, as object stores answer", async () => {
    const { fetch } = client;
    client.fetch = async (url, options) => {
      const answer = await fetch(url, options);
      return answer.status === 404 ? { ...answer, status: 403 } : answer;
    };
    expect(await client.refresh()).toBe("ok");
  });

  it("nothing published yet", async () => {
    sim.files.delete("timestamp.json");
    const result = await refreshTrust(client.options);
    expect(result).toMatchObject({
      error: { code: "missing-metadata", message: expect.stringContaining("nothing has been published yet") },
    });
  });
});

async function* nothing(): AsyncGenerator<Uint8Array> {}
