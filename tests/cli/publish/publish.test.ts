import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { realDisk } from "../../../agent/effects/disk.ts";
import { openKit } from "../../../agent/effects/trust/kit.ts";
import { packBundle } from "../../../cli/bundle/pack.ts";
import { initKeys } from "../../../cli/keys/init.ts";
import { rotateKeys, signRequest } from "../../../cli/keys/sign.ts";
import { type BundleFile, openBundle } from "../../../cli/publish/bundle.ts";
import type { PublishApi } from "../../../cli/publish/current.ts";
import { exportKit } from "../../../cli/publish/export.ts";
import { nextTargets } from "../../../cli/publish/next-targets.ts";
import { type PublishRequest, publishRelease } from "../../../cli/publish/publish.ts";
import type { Platform } from "../../../protocol/build.ts";
import { metadataText, tufInstant } from "../../../protocol/metadata.ts";
import { err, ok } from "../../../protocol/result.ts";
import { type Static, type TSchema, Value } from "../../../protocol/schema.ts";
import { firstKeyRequest } from "../../../server-stub/repository/online-keys.ts";
import { Repository } from "../../../server-stub/repository/repository.ts";
import { cheapen } from "../../trust/cheap-keys.ts";
import { Client } from "../../trust/client.ts";
import { must } from "../../trust/publisher.ts";
import { DAY, METADATA_URL, NOW } from "../../trust/simulator.ts";

const PASSPHRASE = "correct horse";

/** Bundles are made once: reading and signing is what is tested. */
let bundlesDir = "";
const bundles = new Map<string, string>();
let dir = "";
let repository: Repository;
let uploads: string[];
let now = NOW;

beforeAll(async () => {
  bundlesDir = await mkdtemp(join(tmpdir(), "baton-bundles-"));
  const make = async (name: string, version: string, platform: Platform, content = name) => {
    const tree = join(bundlesDir, `${name}-tree`);
    await mkdir(tree);
    await writeFile(join(tree, "main.js"), `// ${content}\n`);
    const out = join(bundlesDir, `${name}.tar.zst`);
    const stamp = { version, builtAt: "2026-05-01T00:00:00.000Z", gitCommit: "unknown" };
    must(await packBundle({ ...stamp, dir: tree, entry: "main.js", platform, out }));
    bundles.set(name, out);
  };
  await make("1.0.0", "1.0.0", "linux-x64");
  await make("1.1.0", "1.1.0", "linux-x64");
  await make("1.1.0-arm", "1.1.0", "linux-arm64");
  await make("1.1.0-again", "1.1.0", "linux-x64", "another build");
  must(await initKeys(join(bundlesDir, "k"), PASSPHRASE));
  await cheapen(join(bundlesDir, "k"), PASSPHRASE);
});
afterAll(() => rm(bundlesDir, { recursive: true }));

beforeEach(async () => {
  now = NOW;
  uploads = [];
  dir = await mkdtemp(join(tmpdir(), "baton-publish-"));
  await cp(join(bundlesDir, "k"), keys(), { recursive: true });
  repository = await Repository.open({
    dir: join(dir, "repository"),
    keysDir: join(dir, "online"),
    now: () => now,
  });
  const request = JSON.stringify(await firstKeyRequest(join(dir, "online")));
  const { update } = must(await signRequest({ dir: keys(), passphrase: PASSPHRASE, now }, request));
  must(await repository.installTrust([update]));
});
afterEach(() => rm(dir, { recursive: true }));

const keys = () => join(dir, "k");
const open = async (name: string): Promise<BundleFile> => must(await openBundle(bundles.get(name) ?? ""));

/** What a node fetches. */
const fetchFiles = async (url: string) => {
  const file = join(dir, "repository", "metadata", url.slice(METADATA_URL.length + 1));
  const bytes = await readFile(file).catch(() => null);
  return { status: bytes === null ? 404 : 200, body: Readable.from(bytes === null ? [] : [bytes]) };
};

/** The coordinator's API over the real repository, as its routes answer. */
const api = (): PublishApi => ({
  call: async <S extends TSchema>({ path, method, body, answer }: Parameters<PublishApi["call"]>[0]) => {
    const value = await (async () => {
      if (path === "/v1/releases" && method === "POST") {
        const { targets, expectedTargetsVersion } = JSON.parse(JSON.stringify(body));
        return repository.publish(targets, expectedTargetsVersion);
      }
      if (path === "/v1/releases") return ok(repository.releases());
      const file = join(dir, "repository", path.replace(/^\/tuf\//, ""));
      return ok(JSON.parse(await readFile(file, "utf8")));
    })();
    if (!value.ok) return err(value.error);
    if (!Value.Check(answer, value.value)) throw new Error(`${path} answers something else`);
    return ok(value.value as Static<S>);
  },
  upload: async <S extends TSchema>(path: string, body: AsyncIterable<Uint8Array>) => {
    const sha256 = path.slice(path.lastIndexOf("/") + 1);
    uploads.push(sha256);
    const stored = await repository.upload(sha256, Readable.from(body));
    return stored.ok ? ok({ sha256, bytes: stored.value.bytes } as Static<S>) : err(stored.error);
  },
});

const publish = async (names: readonly string[], more: Partial<PublishRequest> = {}) =>
  publishRelease({
    keys: { dir: keys(), passphrase: PASSPHRASE },
    api: api(),
    bundles: await Promise.all(names.map(open)),
    now,
    ...more,
  });

describe("publishing", () => {
  it("signs what the bundles say of themselves, and uploads them first", async () => {
    const done = must(await publish(["1.0.0"], { minVersion: "0.9.0", channel: "stable" }));
    expect(done).toEqual({ targetsVersion: 1, expires: tufInstant(NOW + 180 * DAY), changed: true });
    const { versionJson, sha256 } = await open("1.0.0");
    expect(repository.releases().releases).toMatchObject([
      {
        version: "1.0.0",
        minVersion: "0.9.0",
        bundles: [{ buildHash: versionJson.buildHash, sha256, engines: ">=26.0.0" }],
      },
    ]);
    expect(uploads).toEqual([sha256]);
  });

  it("adds to what is there, and a version's platforms may come one after the other", async () => {
    must(await publish(["1.0.0"]));
    must(await publish(["1.1.0"], { minVersion: "1.0.0" }));
    must(await publish(["1.1.0-arm"]));
    const { releases, targetsVersion } = repository.releases();
    expect(targetsVersion).toBe(3);
    expect(releases.map(({ version, minVersion, bundles: of }) => [version, minVersion, of.length])).toEqual([
      ["1.0.0", null, 1],
      ["1.1.0", "1.0.0", 2],
    ]);
  });

  it("may be repeated: what is published already is left alone", async () => {
    must(await publish(["1.0.0"]));
    expect(must(await publish(["1.0.0"]))).toMatchObject({ targetsVersion: 1, changed: false });
    expect(uploads).toHaveLength(1);
  });

  it("keeps a floor that was said before, also for another build", async () => {
    must(await publish(["1.1.0"], { minVersion: "1.0.0", channel: "stable" }));
    expect(must(await publish(["1.1.0"]))).toMatchObject({ changed: false });
    must(await publish(["1.1.0-again"], { rebuild: true }));
    expect(repository.releases().releases).toMatchObject([{ minVersion: "1.0.0" }]);
    must(await publish(["1.1.0-again"], { minVersion: "1.1.0" }));
    expect(repository.releases().releases).toMatchObject([{ minVersion: "1.1.0" }]);
  });

  it("goes on where the answer to the last one was lost", async () => {
    const lossy = {
      ...api(),
      call: async (request: Parameters<PublishApi["call"]>[0]) => {
        const answer = await api().call(request);
        return request.method === "POST" ? err({ code: "unreachable", message: "connection reset" }) : answer;
      },
    } as PublishApi;
    expect(await publish(["1.0.0"], { api: lossy })).toMatchObject({ error: { code: "unreachable" } });
    expect(must(await publish(["1.0.0"]))).toMatchObject({ targetsVersion: 1, changed: false });
    expect(must(await publish(["1.1.0"]))).toMatchObject({ targetsVersion: 2 });
  });

  it("renews a signature before it expires, with nothing new", async () => {
    must(await publish(["1.0.0"]));
    now += 160 * DAY;
    must(await repository.resign());
    expect(repository.expiring().map(({ role }) => role)).toContain("targets");
    expect(must(await publish([]))).toMatchObject({
      targetsVersion: 2,
      expires: tufInstant(now + 180 * DAY),
    });
    expect(repository.expiring()).toEqual([]);
  });

  it("puts another build of a version in the place of the old one only when told", async () => {
    must(await publish(["1.1.0"]));
    const refused = await publish(["1.1.0-again"]);
    expect(refused).toMatchObject({
      error: { code: "version-exists", hint: expect.stringContaining("--rebuild") },
    });
    expect(uploads).toHaveLength(1);
    must(await publish(["1.1.0-again"], { rebuild: true }));
    const { versionJson } = await open("1.1.0-again");
    expect(repository.releases().releases).toMatchObject([
      { bundles: [{ buildHash: versionJson.buildHash }] },
    ]);
  });
});

describe("publishing is refused, before anything is uploaded,", () => {
  it.each<[string, () => Promise<unknown>, string]>([
    ["for bundles of several versions", () => publish(["1.0.0", "1.1.0"]), "several-versions"],
    ["for two bundles for one platform", () => publish(["1.1.0", "1.1.0-again"]), "twice-the-platform"],
    ["for a floor above the version", () => publish(["1.0.0"], { minVersion: "1.0.1" }), "bad-min-version"],
    ["for a floor that is no version", () => publish(["1.0.0"], { minVersion: "one" }), "bad-min-version"],
    [
      "for a wrong passphrase",
      () => publish(["1.0.0"], { keys: { dir: keys(), passphrase: "wrong" } }),
      "wrong-passphrase",
    ],
    [
      "without keys",
      () => publish(["1.0.0"], { keys: { dir: join(dir, "none"), passphrase: PASSPHRASE } }),
      "no-keys",
    ],
  ])("%s", async (_why, attempt, code) => {
    expect(await attempt()).toMatchObject({ ok: false, error: { code } });
    expect(uploads).toEqual([]);
    expect(repository.targetsVersion).toBe(0);
  });

  it("when a file is no bundle, or is missing", async () => {
    const file = join(dir, "junk.tar.zst");
    await writeFile(file, "junk");
    expect(await openBundle(file)).toMatchObject({ error: { code: "bundle-corrupt" } });
    expect(await openBundle(join(dir, "missing"))).toMatchObject({ error: { code: "no-file" } });
  });

  it("when the coordinator slips in something that our keys have not signed", async () => {
    must(await publish(["1.0.0"]));
    const file = join(dir, "repository", "metadata", "1.targets.json");
    const forged = JSON.parse(await readFile(file, "utf8"));
    forged.signed.targets["9.9.9/linux-x64-000000000000.tar.zst"] = {
      length: 1,
      hashes: { sha256: "0".repeat(64) },
    };
    await writeFile(file, JSON.stringify(forged));
    expect(await publish(["1.1.0"])).toMatchObject({ error: { code: "bad-signature" } });
  });

  it("when the coordinator hides what was published from here", async () => {
    must(await publish(["1.0.0"]));
    const hiding = {
      ...api(),
      call: (request: Parameters<PublishApi["call"]>[0]) =>
        request.path === "/v1/releases"
          ? Promise.resolve(ok({ releases: [], targetsVersion: 0, expiresAt: null }))
          : api().call(request),
    } as PublishApi;
    expect(await publish(["1.1.0"], { api: hiding })).toMatchObject({ error: { code: "rolled-back" } });
  });

  it("when the coordinator was restored to before a publish, until that is said; nodes then go on at once", async () => {
    must(await publish(["1.0.0"]));
    await cp(join(dir, "repository"), join(dir, "backup"), { recursive: true });
    must(await publish(["1.1.0"]));
    const client = await Client.make({
      pinnedRoot: await readFile(join(keys(), "1.root.json")),
      fetch: fetchFiles,
    });
    try {
      await client.refreshed();
      await rm(join(dir, "repository"), { recursive: true });
      await cp(join(dir, "backup"), join(dir, "repository"), { recursive: true });
      repository = await Repository.open({
        dir: join(dir, "repository"),
        keysDir: join(dir, "online"),
        now: () => now,
      });
      now += 60_000;
      expect(await client.refresh()).toBe("rolled-back");
      expect(await publish(["1.1.0"])).toMatchObject({ error: { code: "rolled-back" } });
      expect(must(await publish(["1.1.0"], { afterRestore: true }))).toMatchObject({ targetsVersion: 3 });
      expect((await client.refreshed()).versions.targets).toBe(3);
    } finally {
      await client.remove();
    }
  });

  it("when somebody else was faster", async () => {
    must(await publish(["1.0.0"]));
    let raced = false;
    const racing: PublishApi = {
      ...api(),
      upload: async (path, body, bytes, answer) => {
        const done = await api().upload(path, body, bytes, answer);
        if (!raced) {
          raced = true;
          must(await publish(["1.1.0-arm"]));
        }
        return done;
      },
    };
    expect(await publish(["1.1.0"], { api: racing })).toMatchObject({
      error: { code: "targets-version-conflict" },
    });
    expect(must(await publish(["1.1.0"]))).toMatchObject({ targetsVersion: 3 });
  });
});

it("targets keys are rotated while releases are out, and publishing goes on", async () => {
  must(await publish(["1.0.0"]));
  const { update, file } = must(await rotateKeys({ dir: keys(), passphrase: PASSPHRASE, now }, "targets"));
  expect(file).toMatch(/2\.trust\.json$/);
  expect(await publish(["1.1.0"])).toMatchObject({
    error: { hint: expect.stringContaining("coordinator trust") },
  });
  must(await repository.installTrust([update]));
  expect(must(await publish(["1.1.0"]))).toMatchObject({ targetsVersion: 3 });
});

describe("the next targets metadata", () => {
  it("leaves alone what it does not understand", () => {
    const strange = { length: 5, hashes: { sha256: "0".repeat(64) }, custom: { of: "another time" } };
    const current = {
      _type: "targets" as const,
      spec_version: "1.0.31",
      version: 7,
      expires: tufInstant(NOW),
      targets: { "strange.bin": strange },
      "x-more": "kept",
    };
    const next = must(nextTargets(current, { bundles: [] }, NOW + DAY));
    expect(next).toEqual({ ...current, version: 8, expires: tufInstant(NOW + DAY) });
  });

  it("refuses a development build", () => {
    const versionJson = {
      version: "0.0.0-dev",
      buildHash: "0".repeat(64),
      builtAt: "",
      gitCommit: "unknown",
      entry: "x",
      engines: { node: "*" },
      platform: "linux-x64" as const,
      protocol: 1,
    };
    const bundle = { bytes: 1, sha256: "0".repeat(64), versionJson };
    expect(nextTargets(null, { bundles: [bundle] }, NOW)).toMatchObject({
      error: { code: "development-build" },
    });
  });
});

describe("an offline kit", () => {
  let client: Client;
  const kit = () => join(dir, "release.kit");
  const downloadDir = () => join(dir, "download");
  const take = (platform: Platform = "linux-x64") =>
    openKit(client.options, { file: kit(), platform, downloadDir: downloadDir() });

  beforeEach(async () => {
    must(await publish(["1.0.0"]));
    must(await publish(["1.1.0", "1.1.0-arm"], { minVersion: "1.0.0" }));
    const pinnedRoot = await readFile(join(keys(), "1.root.json"));
    client = await Client.make({ pinnedRoot, fetch: fetchFiles });
    must(await exportKit(keys(), [await open("1.1.0"), await open("1.1.0-arm")], kit()));
  });
  afterEach(() => client.remove());

  it("gives a node its bundle, verified, without a network", async () => {
    const arm = must(await take("linux-arm64"));
    expect(arm.bundle.custom).toMatchObject({
      version: "1.1.0",
      platform: "linux-arm64",
      minVersion: "1.0.0",
    });
    expect(await readFile(arm.path)).toEqual(await readFile(bundles.get("1.1.0-arm") ?? ""));
  });

  it("carries the chain of roots to a node that has only the first", async () => {
    must(await rotateKeys({ dir: keys(), passphrase: PASSPHRASE, now }, "root"));
    const { update } = must(await rotateKeys({ dir: keys(), passphrase: PASSPHRASE, now }, "targets"));
    must(await exportKit(keys(), [await open("1.1.0")], kit()));
    must(await take());
    expect(await client.version("root")).toBe(update.root.signed.version);
  });

  it("does not care that snapshot and timestamp would have expired, but that targets and root have", async () => {
    client.now = NOW + 100 * DAY;
    must(await take());
    client.now = NOW + 181 * DAY;
    expect(await take()).toMatchObject({ error: { code: "expired" } });
    client.now = NOW + 366 * DAY;
    expect(await take()).toMatchObject({ error: { code: "expired", context: { role: "root" } } });
  });

  it("that is older than what the node has seen is refused; a later one raises what counts as seen", async () => {
    const older = await readFile(kit());
    must(await publish([]));
    must(await exportKit(keys(), [await open("1.1.0")], kit()));
    must(await take());
    await writeFile(kit(), older);
    expect(await take()).toMatchObject({ error: { code: "rolled-back" } });
    expect(await client.refresh()).toBe("ok"); // and the network agrees, once it is there
  });

  it("is whole or refused, wherever it was damaged, and leaves nothing", async () => {
    const good = await readFile(kit());
    const wanted = await readFile(bundles.get("1.1.0") ?? "");
    const { path } = must(await take());
    await rm(path);
    // A cut anywhere, and a flipped bit in every part.
    for (let at = 100; at < good.length - 1024; at += 1009) {
      const flipped = Buffer.from(good);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      for (const bytes of [flipped, good.subarray(0, at)]) {
        await writeFile(kit(), bytes);
        const taken = await take();
        // Taken where what was hit is another platform's, or padding that nobody reads.
        const content = taken.ok ? await readFile(taken.value.path) : wanted;
        expect(content).toEqual(wanted);
        if (taken.ok) await rm(taken.value.path);
        expect(await realDisk.readdir(downloadDir())).toEqual([]);
      }
    }
  });

  it("that is no archive, or not there, is refused", async () => {
    await writeFile(kit(), "hello");
    expect(await take()).toMatchObject({ error: { code: "bad-kit" } });
    await rm(kit());
    expect(await take()).toMatchObject({ error: { code: "bad-kit" } });
  });

  it("of another publisher is refused", async () => {
    const stranger = { dir: join(dir, "stranger"), passphrase: PASSPHRASE, now };
    must(await initKeys(stranger.dir, PASSPHRASE));
    const { update } = must(
      await signRequest(stranger, JSON.stringify(await firstKeyRequest(join(dir, "online")))),
    );
    client.pinnedRoot = Buffer.from(metadataText(update.root));
    expect(await take()).toMatchObject({ error: { code: "bad-signature" } });
    must(await rotateKeys({ dir: keys(), passphrase: PASSPHRASE, now }, "root"));
    must(await exportKit(keys(), [await open("1.1.0")], kit()));
    expect(await take()).toMatchObject({ error: { code: "root-not-chained" } });
  });

  it("without a bundle for this platform says so", async () => {
    must(await exportKit(keys(), [await open("1.1.0-arm")], kit()));
    expect(await take()).toMatchObject({ error: { code: "no-build-for-platform" } });
  });

  it("on a full disk leaves nothing", async () => {
    const disk: typeof realDisk = {
      ...realDisk,
      open: async (path, how, mode) => {
        const file = await realDisk.open(path, how, mode);
        if (!path.endsWith(".part")) return file;
        return { ...file, write: () => Promise.reject(Object.assign(new Error("full"), { code: "ENOSPC" })) };
      },
    };
    const options = { ...client.options, disk };
    const taken = await openKit(options, { file: kit(), platform: "linux-x64", downloadDir: downloadDir() });
    expect(taken).toMatchObject({ error: { code: "disk-full" } });
    expect(await realDisk.readdir(downloadDir())).toEqual([]);
  });

  it("is not made of what was not published, or not so", async () => {
    const again = [await open("1.1.0-again")];
    expect(await exportKit(keys(), again, kit())).toMatchObject({ error: { code: "not-published" } });
    expect(await exportKit(join(dir, "none"), again, kit())).toMatchObject({ error: { code: "no-root" } });
    const targets = join(keys(), "targets.json");
    const signed = JSON.parse(await readFile(targets, "utf8"));
    signed.signed.version = 99;
    await writeFile(targets, metadataText(signed));
    expect(await exportKit(keys(), [await open("1.1.0")], kit())).toMatchObject({
      error: { code: "bad-signature" },
    });
  });
});
