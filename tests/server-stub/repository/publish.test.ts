import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { signMetadata, type TargetsMetadata } from "../../../protocol/metadata.ts";
import { targetPath } from "../../../protocol/trust.ts";
import { firstKeyRequest } from "../../../server-stub/repository/online-keys.ts";
import { must, Publisher } from "../../trust/publisher.ts";
import { DAY, NOW, newSigner, sha256 } from "../../trust/simulator.ts";

let publisher: Publisher;
beforeEach(async () => {
  publisher = await Publisher.make();
});
afterEach(() => publisher.remove());

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
    const { bundles } = await (await publisher.node()).refreshed();
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
