import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { realDisk } from "../../agent/effects/disk.ts";
import { fetchPinnedRoot } from "../../agent/effects/trust/pin.ts";
import { refreshTrust } from "../../agent/effects/trust/refresh.ts";
import { resolveBundle } from "../../agent/effects/trust/releases.ts";
import {
  metadataText,
  type RootMetadata,
  rootFingerprint,
  signMetadata,
  tufInstant,
} from "../../protocol/metadata.ts";
import { Client } from "./client.ts";
import { DAY, NOW, newSigner, Simulator, sha256 } from "./simulator.ts";

let sim: Simulator;
let client: Client;
beforeEach(async () => {
  sim = new Simulator();
  client = await Client.make(sim);
});
afterEach(() => client.remove());

/** The code with which a refresh is refused; what was trusted before stands to the byte. */
async function refusal(): Promise<string> {
  const before = await client.contents();
  const code = await client.refresh();
  expect(await client.contents()).toEqual(before);
  return code;
}

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

describe("what is not genuine is refused, and what was trusted stands", () => {
  beforeEach(() => client.refreshed());

  it.each(["targets", "snapshot", "timestamp"] as const)("%s signed by a stranger", async (role) => {
    sim.signers = { ...sim.signers, [role]: [newSigner()] };
    sim.publish();
    expect(await refusal()).toBe("bad-signature");
  });

  it("targets whose content was changed after signing", async () => {
    sim.publish();
    const name = `${sim.targets.version}.targets.json`;
    const signed = JSON.parse(String(sim.files.get(name)));
    const entry = Object.values(signed.signed.targets)[0] as { length: number };
    entry.length += 1;
    const text = metadataText(signed);
    sim.serve(name, text);
    expect(await refusal()).toBe("mix-and-match");
    // Even when the coordinator, which signs snapshots, goes along with it.
    sim.snapshot.meta["targets.json"] = {
      version: sim.targets.version,
      length: text.length,
      hashes: { sha256: sha256(text) },
    };
    sim.snapshot.version += 1;
    const snapshot = metadataText(signMetadata(sim.snapshot, sim.signers.snapshot));
    sim.serve(`${sim.snapshot.version}.snapshot.json`, snapshot);
    sim.timestamp.version += 1;
    sim.timestamp.meta["snapshot.json"] = {
      version: sim.snapshot.version,
      length: snapshot.length,
      hashes: { sha256: sha256(snapshot) },
    };
    sim.serveTimestamp();
    expect(await refusal()).toBe("bad-signature");
  });

  it("a root that is signed by itself but not by the one before", async () => {
    const strangers = [newSigner()];
    sim.rotate("root", strangers);
    sim.serveRoot(strangers);
    expect(await refusal()).toBe("root-not-chained");
  });

  it("a root that is signed by the one before but not by itself", async () => {
    const old = sim.signers.root;
    sim.rotate("root");
    sim.serveRoot(old);
    expect(await refusal()).toBe("root-not-chained");
  });

  it("a root that skips a version, or repeats one", async () => {
    sim.bumpRoot((root) => ({ ...root, version: 3 }));
    const three = sim.files.get("3.root.json");
    if (three === undefined) throw new Error("not served");
    sim.serve("2.root.json", three);
    expect(await refusal()).toBe("root-not-chained");
    sim.serve("2.root.json", sim.files.get("1.root.json") ?? "");
    expect(await refusal()).toBe("root-not-chained");
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
    expect(await refusal()).toBe("malformed");
  });

  it("a snapshot other than the one that the timestamp points to", async () => {
    sim.publish();
    const later = sim.files.get("2.snapshot.json") ?? "";
    sim.publish();
    sim.serve("3.snapshot.json", later); // rightly signed, of another time
    expect(await refusal()).toBe("mix-and-match");
  });

  it("targets other than those that the snapshot points to", async () => {
    sim.publish();
    const other = sim.files.get("2.targets.json") ?? "";
    sim.release("1.2.0");
    sim.publish();
    sim.serve("3.targets.json", other);
    expect(await refusal()).toBe("mix-and-match");
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
    expect(await refusal()).toBe("mix-and-match");
  });
});

describe("what a repository may get wrong", () => {
  beforeEach(() => client.refreshed());

  it("files that are missing", async () => {
    sim.publish();
    sim.files.delete("2.targets.json");
    expect(await refusal()).toBe("missing-metadata");
    sim.files.delete("2.snapshot.json");
    expect(await refusal()).toBe("missing-metadata");
    sim.files.delete("timestamp.json");
    expect(await refusal()).toBe("missing-metadata");
  });

  it.each(["timestamp.json", "2.root.json", "2.snapshot.json", "2.targets.json"])(
    "endless data for %s",
    async (name) => {
      sim.publish();
      let sent = 0;
      const { fetch } = client;
      client.fetch = async (url, options) => {
        if (!url.endsWith(`/${name}`)) return fetch(url, options);
        const body = (async function* () {
          for (;;) {
            sent += 65_536;
            yield Buffer.alloc(65_536, 32);
          }
        })();
        return { status: 200, body };
      };
      expect(await refusal()).toBe("too-large");
      expect(sent).toBeLessThan(1_000_000); // the targets' own length is known from the snapshot by then
    },
  );

  it("status 500, silence, and slowness", async () => {
    client.fetch = () => Promise.resolve({ status: 500, body: nothing() });
    expect(await refusal()).toBe("http-status");
    client.fetch = () => Promise.reject(new Error("connect ECONNREFUSED"));
    expect(await refusal()).toBe("unreachable");
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

  it("a freeze is noticed when the timestamp's day is over", async () => {
    await client.refreshed();
    client.now = NOW + DAY - 1000;
    expect(await client.refresh()).toBe("ok");
    client.now = NOW + DAY;
    expect(await client.refresh()).toBe("expired");
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
    expect(await refusal()).toBe("expired");
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

describe("replay and rollback", () => {
  it("a replayed repository is refused", async () => {
    const replay = sim.capture();
    sim.publish();
    await client.refreshed();
    replay();
    expect(await refusal()).toBe("rolled-back");
  });

  it("a newer timestamp over an older snapshot is refused", async () => {
    sim.publish();
    await client.refreshed();
    sim.snapshot.version = 1;
    sim.timestamp.version += 1;
    sim.serveAll();
    expect(await refusal()).toBe("rolled-back");
  });

  it("a newer snapshot over older targets is refused", async () => {
    sim.release("1.1.0");
    sim.publish();
    await client.refreshed();
    sim.targets.version = 1;
    sim.resign();
    expect(await refusal()).toBe("rolled-back");
  });

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
    expect(await refusal()).toBe("rolled-back");
    news();
    const { notes } = await client.refreshed();
    expect(notes.join()).toContain("trust-floor.json is not JSON");
    expect((await client.refreshed()).notes).toEqual([]);
  });
});

describe("a damaged cache", () => {
  beforeEach(() => client.refreshed());

  it.each(["root", "timestamp", "snapshot", "targets"] as const)(
    "is mended when %s is torn",
    async (role) => {
      await client.tear(`${role}.json`);
      const { notes, versions } = await client.refreshed();
      expect(versions).toEqual({ root: 1, timestamp: 1, snapshot: 1, targets: 1 });
      expect(notes).toHaveLength(role === "root" ? 1 : 0);
      expect(await client.version(role)).toBe(1);
    },
  );

  it.each(["root", "timestamp", "snapshot", "targets"] as const)(
    "is mended when %s is gone",
    async (role) => {
      await rm(client.cached(`${role}.json`));
      expect(await client.refresh()).toBe("ok");
      expect(await client.version(role)).toBe(1);
    },
  );

  it("starts from the pinned root and follows the chain again when the cached root is torn", async () => {
    sim.rotate("timestamp");
    sim.resign();
    await client.refreshed();
    await client.tear("root.json");
    expect((await client.refreshed()).versions.root).toBe(2);
  });

  it("is set aside when it is not even a link, or when its directory is empty", async () => {
    await rm(join(client.stateDir, "tuf"), { recursive: true });
    await mkdir(join(client.stateDir, "tuf"));
    expect(await client.refresh()).toBe("ok");
  });

  it("is whole after a crash at any single step of writing it", async () => {
    const before = sim.capture();
    sim.rotate("root");
    sim.rotate("timestamp");
    sim.release("1.1.0");
    sim.publish();
    const news = sim.capture();
    let completed = false;
    for (let steps = 0; !completed; steps++) {
      const crashing = await Client.make(sim);
      try {
        crashing.pinnedRoot = client.pinnedRoot;
        before();
        await crashing.refreshed();
        news();
        let left = steps;
        const step = () => {
          if (left-- <= 0) throw new Error("crash");
        };
        crashing.disk = {
          ...realDisk,
          open: async (path, how, mode) => {
            if (how !== "read") step();
            const file = await realDisk.open(path, how, mode);
            return {
              ...file,
              write: async (data) => {
                if (left <= 0) await file.write(data.subarray(0, data.length / 2)); // torn
                step();
                await file.write(data);
              },
            };
          },
          rename: async (from, to) => {
            step();
            await realDisk.rename(from, to);
          },
          symlink: async (target, path) => {
            step();
            await realDisk.symlink(target, path);
          },
          mkdir: async (path, mode) => {
            step();
            await realDisk.mkdir(path, mode);
          },
          rm: async (path) => {
            step();
            await realDisk.rm(path);
          },
        };
        completed = (await refreshTrust(crashing.options).catch(() => null)) !== null;
        crashing.disk = realDisk;
        const roles = ["root", "timestamp", "snapshot", "targets"] as const;
        const onDisk = await Promise.all(roles.map((role) => crashing.version(role)));
        expect(["1,1,1,1", "3,2,2,2"]).toContain(onDisk.join());
        const after = await crashing.refreshed();
        expect(after.versions).toEqual({ root: 3, timestamp: 2, snapshot: 2, targets: 2 });
        expect(await readdir(join(crashing.stateDir, "tuf"))).toHaveLength(2);
      } finally {
        await crashing.remove();
      }
      expect(steps).toBeLessThan(100);
    }
  });
});

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

  it("fast-forward: a timestamp counted up to the end is forgotten with its keys", async () => {
    sim.timestamp.version = Number.MAX_SAFE_INTEGER - 1;
    sim.serveAll();
    await client.refreshed();
    sim.timestamp.version = 2;
    sim.serveAll();
    expect(await refusal()).toBe("rolled-back");
    sim.rotate("timestamp");
    sim.serveAll();
    expect((await client.refreshed()).versions.timestamp).toBe(2);
  });

  it.each(["snapshot", "timestamp"] as const)(
    "fast-forward: a snapshot counted up to the end is forgotten with the %s key",
    async (role) => {
      sim.snapshot.version = Number.MAX_SAFE_INTEGER - 1;
      sim.serveAll();
      await client.refreshed();
      sim.snapshot.version = 2;
      sim.timestamp.version += 1;
      sim.serveAll();
      expect(await refusal()).toBe("rolled-back");
      sim.rotate(role);
      sim.serveAll();
      expect((await client.refreshed()).versions.snapshot).toBe(2);
    },
  );

  it("fast-forward: targets counted up to the end are forgotten with their keys and the snapshot's", async () => {
    sim.targets.version = Number.MAX_SAFE_INTEGER - 1;
    sim.resign();
    await client.refreshed();
    sim.targets.version = 2;
    sim.rotate("targets");
    sim.resign();
    expect(await client.refresh()).toBe("rolled-back");
    sim.rotate("snapshot");
    sim.resign();
    expect((await client.refreshed()).versions.targets).toBe(2);
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

describe("the bundle of a build", () => {
  const build = (version: string, platform = "linux-x64") => ({
    version,
    buildHash: sha256(`build ${version} ${platform}`),
  });

  it("is the one for this platform, if exactly that build is signed", async () => {
    const { bundles } = await client.refreshed();
    expect(resolveBundle(bundles, build("1.0.0"), "linux-x64")).toMatchObject({ value: { bytes: 29 } });
    const cases = [
      [build("9.9.9"), "linux-x64", "not-signed"],
      [{ version: "1.0.0", buildHash: "0".repeat(64) }, "linux-x64", "not-signed"],
      [build("1.0.0", "linux-arm64"), "linux-arm64", "no-build-for-platform"],
    ] as const;
    for (const [wanted, platform, code] of cases) {
      expect(resolveBundle(bundles, wanted, platform)).toMatchObject({ error: { code } });
    }
  });
});
