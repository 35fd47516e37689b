import { mkdir, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { metadataText, signMetadata, type TargetsMetadata } from "../../../protocol/metadata.ts";
import { targetPath } from "../../../protocol/trust.ts";
import { realFiles } from "../../../server-stub/repository/files.ts";
import { firstKeyRequest } from "../../../server-stub/repository/online-keys.ts";
import { Client } from "../../trust/client.ts";
import { must, Publisher } from "../../trust/publisher.ts";
import { DAY, NOW, newSigner, sha256 } from "../../trust/simulator.ts";

const HOUR = 3_600_000;

let publisher: Publisher;
const clients: Client[] = [];
beforeEach(async () => {
  publisher = await Publisher.make();
});
afterEach(async () => {
  await publisher.remove();
  for (const client of clients.splice(0)) await client.remove();
});

/** A node that joins now, with the root that is current now. */
async function node(): Promise<Client> {
  const pinnedRoot = Buffer.from(metadataText(publisher.root ?? { signatures: [], signed: {} }));
  const client = await Client.make({ pinnedRoot, fetch: publisher.fetch });
  clients.push(client);
  return client;
}

const versionsSeen = async (client: Client) =>
  (await client.refreshed()).bundles.map(({ custom }) => custom.version).sort();

describe("before the ceremony", () => {
  it("the repository is empty, publishes nothing, and says what to do", async () => {
    const repository = await publisher.open();
    expect(repository.rootFingerprint).toBeNull();
    expect(repository.releases()).toEqual({ releases: [], targetsVersion: 0, expiresAt: null });
    expect(repository.expiring()).toEqual([]);
    expect(await repository.resign()).toEqual({ ok: true, value: [] });
    const refused = await repository.publish(publisher.sign("1.0.0"), 0);
    expect(refused).toMatchObject({
      error: { code: "trust-not-ready", hint: expect.stringContaining("baton keys sign") },
    });
  });

  it("the request may be made again, for the same keys, which only their owner can read", async () => {
    const first = await firstKeyRequest(publisher.keysDir);
    expect((await firstKeyRequest(publisher.keysDir)).keys.snapshot?.key).toEqual(first.keys.snapshot?.key);
    const files = await readdir(publisher.keysDir);
    expect(files).toHaveLength(2);
    for (const file of files) expect((await stat(join(publisher.keysDir, file))).mode & 0o777).toBe(0o600);
  });

  it("a root that names other keys, or is not the first, is refused", async () => {
    const repository = await publisher.open();
    const root = await publisher.ceremony();
    await rm(publisher.keysDir, { recursive: true });
    await mkdir(publisher.keysDir);
    expect(await repository.installTrust([{ root }])).toMatchObject({ error: { code: "root-refused" } });
    const later = { ...root, signed: { ...root.signed, version: 2 } };
    expect(await repository.installTrust([{ root: later }])).toMatchObject({
      error: { code: "root-refused" },
    });
    const unsigned = { ...root, signatures: [] };
    expect(await repository.installTrust([{ root: unsigned }])).toMatchObject({
      error: { code: "root-refused" },
    });
    expect(repository.rootFingerprint).toBeNull();
  });
});

describe("publishing", () => {
  it("makes a release that a node verifies and can fetch", async () => {
    const repository = await publisher.ready("1.0.0");
    await publisher.upload(repository, "1.1.0");
    await publisher.upload(repository, "1.1.0", "linux-arm64");
    const targets = publisher.sign("1.1.0", ["linux-x64", "linux-arm64"], "1.0.0");
    expect(await repository.publish(targets, 1)).toEqual({ ok: true, value: { targetsVersion: 2 } });
    const { bundles } = await (await node()).refreshed();
    expect(bundles.map(({ custom }) => custom.version)).toEqual(["1.0.0", "1.1.0", "1.1.0"]);
    for (const { name, sha256: hash } of bundles) {
      expect(sha256(await publisher.target(targetPath(name, hash)))).toBe(hash);
    }
    const { releases, targetsVersion, expiresAt } = repository.releases();
    expect({ targetsVersion, expiresAt }).toEqual({ targetsVersion: 2, expiresAt: targets.signed.expires });
    expect(releases.map(({ version, minVersion, bundles: of }) => [version, minVersion, of.length])).toEqual([
      ["1.0.0", null, 1],
      ["1.1.0", "1.0.0", 2],
    ]);
    expect(await readdir(join(publisher.dir, "repository", "uploads"))).toEqual([]);
  });

  it("may be repeated, and survives a restart", async () => {
    await publisher.ready("1.0.0");
    const repository = await publisher.open();
    expect(await repository.publish(publisher.targets, 0)).toEqual({
      ok: true,
      value: { targetsVersion: 1 },
    });
    expect(repository.targetsVersion).toBe(1);
    expect(must(await publisher.publish(repository, "1.1.0"))).toEqual({ targetsVersion: 2 });
  });

  it("is a compare-and-set: of two at once, one wins", async () => {
    const repository = await publisher.ready("1.0.0");
    await publisher.upload(repository, "1.1.0");
    await publisher.upload(repository, "1.2.0");
    const both = [publisher.sign("1.1.0"), publisher.sign("1.2.0")];
    const results = await Promise.all(both.map((targets) => repository.publish(targets, 1)));
    expect(results.map(({ ok }) => ok)).toEqual([true, false]);
    expect(results[1]).toMatchObject({
      error: { code: "targets-version-conflict", context: { expected: 1, actual: 2 } },
    });
    expect(repository.releases().releases.map(({ version }) => version)).toEqual(["1.0.0", "1.1.0"]);
  });

  const resigned = (
    change: (signed: TargetsMetadata["signed"]) => object,
    signers = [publisher.signers.targets],
  ) => {
    const { signed } = publisher.sign("1.1.0");
    return signMetadata({ ...signed, ...change(signed) }, signers);
  };
  const firstEntry = (signed: TargetsMetadata["signed"], change: object) => {
    const name = Object.keys(signed.targets).at(-1) ?? "";
    return { targets: { ...signed.targets, [name]: { ...signed.targets[name], ...change } } };
  };

  it.each<[string, () => unknown]>([
    ["signed by a stranger", () => resigned(() => ({}), [newSigner()])],
    ["not signed", () => ({ ...publisher.sign("1.1.0"), signatures: [] })],
    ["expired", () => resigned(() => ({ expires: "2026-01-01T00:00:00Z" }))],
    ["of a version that does not follow", () => resigned(() => ({ version: 1 }))],
    ["no metadata", () => ({ hello: "world" })],
    ["delegating", () => resigned(() => ({ delegations: { keys: {}, roles: [] } }))],
    ["naming a bundle of another length", () => resigned((signed) => firstEntry(signed, { length: 5 }))],
    ["naming a bundle that was not uploaded", () => publisher.sign("1.2.0")],
    ["without its custom", () => resigned((signed) => firstEntry(signed, { custom: {} }))],
    [
      "naming a bundle by another name",
      () =>
        resigned(({ targets }) => ({
          targets: Object.fromEntries(Object.values(targets).map((entry, n) => [`../../etc/${n}`, entry])),
        })),
    ],
    [
      "naming two builds of a version for one platform",
      () => {
        const { signed } = publisher.sign("1.1.0");
        const [name = "", entry] = Object.entries(signed.targets).at(-1) ?? [];
        const custom = { ...entry?.custom, buildHash: sha256("another") };
        const twin = `1.1.0/linux-x64-${sha256("another").slice(0, 12)}.tar.zst`;
        const targets = { ...signed.targets, [name]: entry, [twin]: { ...entry, custom } };
        return signMetadata({ ...signed, targets }, [publisher.signers.targets]);
      },
    ],
  ])("refuses metadata that is %s, and changes nothing", async (_what, make) => {
    const repository = await publisher.ready("1.0.0");
    await publisher.upload(repository, "1.1.0");
    const before = await readdir(join(publisher.dir, "repository"), { recursive: true });
    expect(await repository.publish(make(), 1)).toMatchObject({
      ok: false,
      error: { code: "release-refused" },
    });
    expect(await readdir(join(publisher.dir, "repository"), { recursive: true })).toEqual(before);
    expect(repository.targetsVersion).toBe(1);
  });

  it("refuses a bundle whose uploaded file was damaged since", async () => {
    const repository = await publisher.ready("1.0.0");
    await publisher.upload(repository, "1.1.0");
    const { sha256: hash, bytes } = publisher.bundle("1.1.0");
    await writeFile(join(publisher.dir, "repository", "uploads", hash), Buffer.alloc(bytes));
    expect(await repository.publish(publisher.sign("1.1.0"), 1)).toMatchObject({
      error: { code: "release-refused" },
    });
  });

  it("refuses to publish under a root that has expired", async () => {
    const repository = await publisher.ready("1.0.0");
    publisher.now = NOW + 366 * DAY;
    await publisher.upload(repository, "1.1.0");
    const refused = await repository.publish(publisher.sign("1.1.0"), 1);
    expect(refused).toMatchObject({
      error: { code: "trust-not-ready", hint: expect.stringContaining("keys renew") },
    });
  });
});

describe("an upload", () => {
  const uploads = () => readdir(join(publisher.dir, "repository", "uploads"));

  it.each([
    [
      "has other bytes than its name says",
      sha256("other"),
      Readable.from([Buffer.from("bytes")]),
      "upload-mismatch",
    ],
    ["has no hash for a name", "../../etc/passwd", Readable.from([Buffer.from("bytes")]), "upload-mismatch"],
    ["is too large", sha256("x"), Readable.from([Buffer.alloc(600), Buffer.alloc(600)]), "too-large"],
  ])("that %s leaves nothing", async (_what, hash, body, code) => {
    const { Repository } = await import("../../../server-stub/repository/repository.ts");
    const dir = join(publisher.dir, "repository");
    const small = await Repository.open({
      dir,
      keysDir: publisher.keysDir,
      now: () => NOW,
      maxBundleBytes: 1000,
    });
    expect(await small.upload(hash, body)).toMatchObject({ error: { code } });
    expect(await uploads()).toEqual([]);
  });

  it("that breaks off leaves nothing", async () => {
    const repository = await publisher.open();
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from("half");
        throw new Error("connection reset");
      })(),
    );
    await expect(repository.upload(sha256("half and half"), broken)).rejects.toThrow("connection reset");
    expect(await uploads()).toEqual([]);
  });

  it("may be repeated, also at the same time, and is swept away when nobody publishes it", async () => {
    const repository = await publisher.open();
    const bytes = Buffer.from("bundle");
    const send = () => repository.upload(sha256(bytes), Readable.from([bytes]));
    expect((await Promise.all([send(), send()])).map(({ ok }) => ok)).toEqual([true, true]);
    expect(await uploads()).toEqual([sha256(bytes)]);
    const file = join(publisher.dir, "repository", "uploads", sha256(bytes));
    await utimes(file, NOW / 1000, NOW / 1000);
    await writeFile(join(publisher.dir, "repository", "uploads", ".part-x"), "cut off by a crash");
    publisher.now = NOW + 2 * HOUR;
    await publisher.open();
    expect(await uploads()).toEqual([sha256(bytes)]);
    publisher.now = NOW + 2 * DAY;
    await publisher.open();
    expect(await uploads()).toEqual([]);
  });
});

describe("signing anew", () => {
  it("happens when half of the time is gone, the snapshot's and the timestamp's apart", async () => {
    const repository = await publisher.ready("1.0.0");
    const at = async (ms: number) => {
      publisher.now = NOW + ms;
      return must(await repository.resign());
    };
    expect(await at(0)).toEqual([]);
    expect(await at(11 * HOUR)).toEqual([]);
    expect(await at(13 * HOUR)).toEqual(["timestamp"]);
    expect(await at(14 * HOUR)).toEqual([]);
    expect(await at(4 * DAY)).toEqual(["snapshot", "timestamp"]);
  });

  it("keeps nodes trusting for as long as it goes on, and raises versions each time", async () => {
    const repository = await publisher.ready("1.0.0");
    const client = await node();
    let last = 0;
    for (let hours = 0; hours < 24 * 20; hours += 6) {
      publisher.now = NOW + hours * HOUR;
      client.now = publisher.now;
      must(await repository.resign());
      const { versions } = await client.refreshed();
      expect(versions.timestamp).toBeGreaterThanOrEqual(last);
      last = versions.timestamp;
    }
    const files = await readdir(join(publisher.dir, "repository", "metadata"));
    expect(files.filter((name) => name.endsWith(".snapshot.json")).length).toBeLessThanOrEqual(5);
  });

  it("mends what was signed while the clock was ahead", async () => {
    const repository = await publisher.ready("1.0.0");
    publisher.now = Date.parse("2099-01-01T00:00:00Z");
    must(await repository.resign());
    publisher.now = NOW + HOUR;
    expect(must(await repository.resign())).toEqual(["snapshot", "timestamp"]);
    expect(await (await node()).refresh()).toBe("ok");
  });

  it("goes above what nodes have seen although the coordinator was restored from a backup", async () => {
    const repository = await publisher.ready("1.0.0");
    const client = await node();
    const metadata = join(publisher.dir, "repository", "metadata");
    const timestamp = await realFiles.read(join(metadata, "timestamp.json"));
    for (let hours = 13; hours < 24 * 6; hours += 13) {
      publisher.now = NOW + hours * HOUR;
      must(await repository.resign());
    }
    client.now = publisher.now;
    await client.refreshed();
    // The restore: an old timestamp, and the snapshots made since are gone.
    const first = String(timestamp).match(/"snapshot.json":\{"version":(\d+)/)?.[1];
    for (const name of await readdir(metadata)) {
      if (name.endsWith(".snapshot.json") && !name.startsWith(String(first))) await rm(join(metadata, name));
    }
    await writeFile(join(metadata, "timestamp.json"), String(timestamp));
    publisher.now += HOUR;
    client.now = publisher.now;
    const restored = await publisher.open();
    must(await restored.resign());
    expect(await client.refresh()).toBe("ok");
  });

  it.each(["timestamp.json", "snapshot", "published targets"])(
    "mends a repository whose %s is torn, from what the publisher has signed",
    async (what) => {
      const repository = await publisher.ready("1.0.0", "1.1.0");
      const metadata = join(publisher.dir, "repository", "metadata");
      const names = await readdir(metadata);
      const snapshot = names.filter((name) => name.endsWith(".snapshot.json")).at(-1) ?? "";
      const file = { "timestamp.json": what, snapshot, "published targets": "2.targets.json" }[what] ?? "";
      await writeFile(join(metadata, file), '{"signatures":[');
      const again = await publisher.open();
      must(await again.resign());
      const seen = await versionsSeen(await node());
      expect(seen).toEqual(what === "published targets" ? ["1.0.0"] : ["1.0.0", "1.1.0"]);
      expect(repository.targetsVersion).toBe(2);
    },
  );
});

describe("a warning", () => {
  it("comes before root or targets expire, and says how long is left", async () => {
    const repository = await publisher.ready("1.0.0");
    expect(repository.expiring(NOW + 149 * DAY)).toEqual([]);
    expect(repository.expiring(NOW + 151 * DAY)).toMatchObject([
      { role: "targets", version: 1, leftMs: 29 * DAY },
    ]);
    expect(repository.expiring(NOW + 366 * DAY).map(({ role, leftMs }) => [role, leftMs < 0])).toEqual([
      ["root", true],
      ["targets", true],
    ]);
  });
});

describe("replaced keys", () => {
  it.each(["root", "targets", "snapshot", "timestamp", "both online"] as const)(
    "%s: old nodes follow, new nodes join, and publishing goes on",
    async (role) => {
      const repository = await publisher.ready("1.0.0");
      const old = await node();
      await old.refreshed();
      must(await repository.installTrust([await publisher.rotate(role)]));
      expect((await old.refreshed()).versions.root).toBe(2);
      publisher.now += HOUR;
      must(await publisher.publish(repository, "1.1.0"));
      expect(await versionsSeen(old)).toEqual(["1.0.0", "1.1.0"]);
      expect(await versionsSeen(await node())).toEqual(["1.0.0", "1.1.0"]);
    },
  );

  it("may be installed again, and several at once", async () => {
    const repository = await publisher.ready("1.0.0");
    const first = publisher.root;
    const two = await publisher.rotate("root");
    const three = await publisher.rotate("timestamp");
    if (first === null) throw new Error("no root");
    must(await repository.installTrust([{ root: first }, two, three]));
    expect(must(await repository.installTrust([{ root: first }, two, three])).version).toBe(3);
    expect(must(await repository.installTrust([two])).version).toBe(3);
    expect((await (await node()).refreshed()).versions.root).toBe(3);
  });

  it("that would orphan what is published are refused without targets signed anew", async () => {
    const repository = await publisher.ready("1.0.0");
    const { root } = await publisher.rotate("targets");
    expect(await repository.installTrust([{ root }])).toMatchObject({
      error: { code: "root-refused", hint: expect.stringContaining("baton keys rotate targets") },
    });
  });

  it("signed by a stranger, or skipping a version, are refused", async () => {
    const repository = await publisher.ready("1.0.0");
    const update = await publisher.rotate("root");
    const forged = { root: signMetadata(update.root.signed, [newSigner()]) };
    expect(await repository.installTrust([forged])).toMatchObject({ error: { code: "root-refused" } });
    const third = await publisher.rotate("root");
    expect(await repository.installTrust([third])).toMatchObject({ error: { code: "root-refused" } });
    expect(must(await repository.installTrust([update, third])).version).toBe(3);
  });

  it("of a coordinator that was lost: a new one takes over with new keys, and nodes follow", async () => {
    await publisher.ready("1.0.0");
    const old = await node();
    await old.refreshed();
    const first = publisher.root;
    const targets = publisher.targets;
    if (first === null || targets === null) throw new Error("not ready");
    await rm(join(publisher.dir, "repository"), { recursive: true });
    await rm(publisher.keysDir, { recursive: true });
    const update = await publisher.rotate("both online");
    const fresh = await publisher.open();
    await publisher.upload(fresh, "1.0.0");
    must(await fresh.installTrust([{ root: first }, { ...update, targets }]));
    expect(await versionsSeen(old)).toEqual(["1.0.0"]);
  });
});

describe("a crash between any two writes", () => {
  /** Stops the world at each durable step in turn, before it happens. */
  async function crashing(
    prepare: () => Promise<void>,
    change: (repository: Awaited<ReturnType<Publisher["open"]>>) => Promise<{ ok: boolean }>,
    check: (client: Client) => Promise<void>,
  ): Promise<number> {
    for (let steps = 0; ; steps++) {
      publisher = await Publisher.make();
      try {
        await prepare();
        const client = await node();
        await client.refreshed();
        let left = steps;
        const step = () => {
          if (left-- <= 0) throw new Error("crash");
        };
        const files = {
          ...realFiles,
          write: async (path: string, text: string, mode: number) => {
            step();
            await realFiles.write(path, text, mode);
          },
          move: async (from: string, to: string) => {
            step();
            await realFiles.move(from, to);
          },
          remove: async (path: string) => {
            step();
            await realFiles.remove(path);
          },
        };
        const result = await change(await publisher.open(files)).catch(() => null);
        await check(client); // as the crash left it, nobody having cleaned up
        const restarted = await publisher.open();
        must(await restarted.resign());
        await check(client);
        expect((await change(restarted)).ok).toBe(true);
        await check(client);
        if (result !== null) return steps;
      } finally {
        await publisher.remove();
      }
    }
  }

  it("of a publish leaves the old release or the new one, whole", async () => {
    let targets: TargetsMetadata | null = null;
    const seen = new Set<string>();
    const steps = await crashing(
      async () => {
        await publisher.ready("1.0.0");
        targets = publisher.sign("1.1.0");
        publisher.now += 1000;
      },
      async (repository) => {
        await publisher.upload(repository, "1.1.0");
        return repository.publish(targets, 1);
      },
      async (client) => {
        const { bundles } = await client.refreshed();
        seen.add(bundles.map(({ custom }) => custom.version).join());
        for (const { name, sha256: hash } of bundles) {
          expect(sha256(await publisher.target(targetPath(name, hash)))).toBe(hash);
        }
      },
    );
    expect(steps).toBe(4); // bundle, targets, snapshot, timestamp
    expect(seen).toEqual(new Set(["1.0.0", "1.0.0,1.1.0"]));
  });

  it.each(["root", "targets", "snapshot", "timestamp", "both online"] as const)(
    "of replacing keys (%s) leaves a repository that verifies",
    async (role) => {
      let update: Awaited<ReturnType<Publisher["rotate"]>> | null = null;
      const roots = new Set<number>();
      await crashing(
        async () => {
          await publisher.ready("1.0.0");
          update = await publisher.rotate(role);
          const first = await realFiles.read(join(publisher.dir, "repository", "metadata", "1.root.json"));
          publisher.root = JSON.parse(String(first)); // nodes were given the root of before
          publisher.now += 1000;
        },
        (repository) => repository.installTrust(update === null ? [] : [update]),
        async (client) => {
          roots.add((await client.refreshed()).versions.root);
          expect(await versionsSeen(await node())).toEqual(["1.0.0"]);
        },
      );
      expect(roots).toEqual(new Set([1, 2]));
    },
  );

  it("of signing anew leaves the old signatures or the new ones", async () => {
    await crashing(
      async () => {
        await publisher.ready("1.0.0");
        publisher.now = NOW + 4 * DAY;
      },
      (repository) => repository.resign(),
      async (client) => {
        client.now = NOW + HOUR;
        expect(await client.refresh()).toBe("ok");
      },
    );
  });
});
