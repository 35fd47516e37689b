/**
 * Every attack that TUF lists, under its name there, on the agent's own trust client over real HTTP.
 * Source: https://theupdateframework.io/docs/security/ and TUF specification 1.0.31, section 1.5.2.
 */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { realDisk } from "../../agent/effects/disk.ts";
import { downloadBundle } from "../../agent/effects/download.ts";
import { layoutOf } from "../../agent/effects/layout.ts";
import { silentLog } from "../../agent/effects/log.ts";
import { makeLayout } from "../../agent/effects/recover.ts";
import { resolveBundle, type SignedBundle } from "../../agent/effects/trust/releases.ts";
import { createNodePreparer } from "../../agent/preparer.ts";
import { createAddresses } from "../../agent/session/addresses.ts";
import { createNetwork } from "../../agent/session/network.ts";
import { CoordinatorFrame, type Desired } from "../../protocol/frames.ts";
import { metadataText, signMetadata } from "../../protocol/metadata.ts";
import { parse } from "../../protocol/parse.ts";
import { metadataName } from "../../protocol/trust.ts";
import { PASSES, PLATFORM, packEntry } from "../agent/built-release.ts";
import { Client } from "./client.ts";
import { endless, Mirror } from "./mirror.ts";
import { DAY, NOW, newSigner, Simulator, sha256 } from "./simulator.ts";

let sim: Simulator;
let mirror: Mirror;
let client: Client;
let dir: string;
beforeEach(async () => {
  sim = new Simulator();
  mirror = await Mirror.serve(sim);
  client = await Client.make(mirror);
  dir = await mkdtemp(join(tmpdir(), "baton-attacks-"));
});
afterEach(async () => {
  await mirror[Symbol.asyncDispose]();
  await client.remove();
  await rm(dir, { recursive: true });
});

const ROLES = ["timestamp", "snapshot", "targets"] as const;

/** The bundle of a version, as it is signed by now. */
const signed = async (version: string): Promise<SignedBundle> => {
  const { bundles } = await client.refreshed();
  const build = { version, buildHash: sha256(`build ${version} linux-x64`) };
  const found = resolveBundle(bundles, build, "linux-x64");
  if (!found.ok) throw new Error(found.error.message);
  return found.value;
};

/** "ok", or why a bundle was not taken; and what is left of it. */
async function fetched({ name, sha256, bytes }: SignedBundle): Promise<[outcome: string, left: string[]]> {
  const result = await downloadBundle({
    disk: realDisk,
    dir,
    url: mirror.targetUrl(name, sha256),
    sha256,
    bytes,
    dispatcher: mirror.dispatcher,
    timeoutMs: 5_000,
    uptime: () => performance.now(),
    wait: () => Promise.resolve(),
  });
  return [result.ok ? "ok" : result.error.code, await readdir(dir)];
}

const instead = (name: string, bytes: Uint8Array | string): void =>
  void mirror.answers.set(name, (response) => response.end(bytes));

const served = (name: string): Buffer => sim.files.get(name) ?? Buffer.alloc(0);

describe("an attack that TUF names", () => {
  it("arbitrary software: what the publisher has not signed is not installed, whoever sends it", async () => {
    expect(await client.refresh()).toBe("ok");
    for (const role of ROLES) {
      const honest = sim.signers;
      sim.signers = { ...honest, [role]: [newSigner()] };
      sim.release("6.6.6");
      sim.publish();
      expect([role, await client.refusal()]).toEqual([role, "bad-signature"]);
      sim.signers = honest;
    }
    sim.publish();
    const bundle = await signed("1.0.0");
    const path = mirror.targetUrl(bundle.name, bundle.sha256).split("/tuf/targets/")[1] ?? "";
    instead(path, "evil of 1.0.0 for linux-x64!!"); // of the same length
    expect(await fetched(bundle)).toEqual(["hash-mismatch", []]);
  });

  it("rollback: neither a replayed repository nor a single older file makes a node younger", async () => {
    const replay = sim.capture();
    sim.release("1.1.0");
    sim.publish();
    await client.refreshed();
    const news = sim.capture();
    replay();
    expect(await client.refusal()).toBe("rolled-back");
    news();
    sim.snapshot.version = 1;
    sim.timestamp.version += 1;
    sim.serveAll();
    expect(await client.refusal()).toBe("rolled-back");
    sim.snapshot.version = 2;
    sim.targets.version = 1;
    sim.resign();
    expect(await client.refusal()).toBe("rolled-back");
  });

  it("fast-forward: versions counted up to the end are forgotten with the keys that signed them", async () => {
    const end = Number.MAX_SAFE_INTEGER - 1;
    for (const role of ROLES) {
      sim[role].version = end;
      if (role === "targets") sim.resign();
      else if (role === "snapshot") {
        sim.timestamp.version += 1;
        sim.serveAll();
      } else sim.serveAll();
      await client.refreshed();
      sim[role].version = 2;
      if (role !== "timestamp") sim.timestamp.version += 1;
      if (role === "targets") sim.snapshot.version += 1;
      sim.serveAll();
      expect([role, await client.refusal()]).toEqual([role, "rolled-back"]);
      sim.rotate(role);
      // A snapshot remembers its targets: both keys are replaced.
      if (role === "targets") sim.rotate("snapshot");
      sim.serveAll();
      expect((await client.refreshed()).versions[role]).toBe(2);
    }
  });

  it("indefinite freeze: old metadata counts for a day, and news held back below it is missed", async () => {
    await client.refreshed();
    const frozen = served("timestamp.json");
    sim.release("1.1.0");
    sim.publish();
    instead("timestamp.json", frozen);
    client.now = NOW + DAY - 1000;
    expect(await client.refresh()).toBe("ok");
    client.now = NOW + DAY;
    expect(await client.refusal()).toBe("expired");
    mirror.answers.clear();
    sim.timestamp.expires = new Date(NOW + 2 * DAY).toISOString().replace(".000", "");
    sim.publish();
    const { version } = sim.targets;
    mirror.answers.set(`${version}.targets.json`, (response) => response.writeHead(404).end());
    expect(await client.refusal()).toBe("missing-metadata");
  });

  it("endless data: no file is read beyond what it may have", async () => {
    await client.refreshed();
    sim.publish();
    for (const name of ["timestamp.json", "2.root.json", "2.snapshot.json", "2.targets.json"]) {
      mirror.answers.set(name, endless);
      expect([name, await client.refusal()]).toEqual([name, "too-large"]);
      mirror.answers.clear();
    }
    mirror.answers.set("*", endless);
    expect(await client.refusal()).toBe("too-large");
    mirror.answers.clear();
    const bundle = await signed("1.0.0");
    mirror.answers.set("*", endless);
    expect(await fetched(bundle)).toEqual(["length-mismatch", []]);
  });

  it("extraneous dependencies: a bundle is all that it needs, and nobody can name more", async () => {
    sim.release("1.1.0");
    sim.publish();
    const bundle = await signed("1.1.0");
    mirror.asked.length = 0;
    expect((await fetched(bundle))[0]).toBe("ok");
    expect(mirror.asked).toHaveLength(1);
    // An order that asks for something beside the release is not one.
    const orders = {
      type: "orders",
      session: "0".repeat(32),
      seq: 1,
      desired: null,
      turn: null,
      waiting: null,
      confirm: null,
      acknowledged: [],
      logNext: [],
    };
    expect(parse(CoordinatorFrame, orders, "It").ok).toBe(true);
    expect(parse(CoordinatorFrame, { ...orders, dependencies: ["evil"] }, "It").ok).toBe(false);
    // A dependency that was added to what is signed takes the signature with it.
    sim.publish();
    const name = `${sim.targets.version}.targets.json`;
    const more = JSON.parse(String(served(name)));
    more.signed.targets["evil/linux-x64.tar.zst"] = Object.values(more.signed.targets)[0];
    instead(name, metadataText(more));
    expect(await client.refusal()).toMatch(/^(mix-and-match|too-large)$/);
  });

  it("mix-and-match: files that never were together are not taken together", async () => {
    await client.refreshed();
    sim.publish();
    sim.release("1.2.0");
    sim.publish();
    for (const role of ["snapshot", "targets"] as const) {
      instead(`3.${role}.json`, served(`2.${role}.json`)); // rightly signed, of another time
      expect([role, await client.refusal()]).toEqual([role, "mix-and-match"]);
      mirror.answers.clear();
    }
    // Even when the coordinator, which signs snapshots, goes along with a forgery.
    const forged = JSON.parse(String(served("3.targets.json")));
    forged.signed.targets = {};
    const text = metadataText(forged);
    instead("3.targets.json", text);
    sim.snapshot.version += 1;
    const meta = { version: 3, length: text.length, hashes: { sha256: sha256(text) } };
    sim.snapshot.meta = { "targets.json": meta };
    const snapshot = metadataText(signMetadata(sim.snapshot, sim.signers.snapshot));
    sim.serve(`${sim.snapshot.version}.snapshot.json`, snapshot);
    sim.timestamp.version += 1;
    sim.timestamp.meta = { "snapshot.json": { version: sim.snapshot.version } };
    sim.serveTimestamp();
    expect(await client.refusal()).toBe("bad-signature");
  });

  it("wrong software: another bundle that is signed is not the one that was ordered", async () => {
    const other = sim.release("1.1.0");
    sim.release("1.0.0", {}, "linux-arm64");
    sim.publish();
    const bundle = await signed("1.0.0");
    mirror.answers.set("*", (response) => response.end(sim.bundles.get(other)));
    expect(sim.bundles.get(other)).toHaveLength(bundle.bytes);
    expect(await fetched(bundle)).toEqual(["hash-mismatch", []]);
    mirror.answers.clear();
    const { bundles } = await client.refreshed();
    const orders = [
      [{ version: "1.0.0", buildHash: sha256("build 1.1.0 linux-x64") }, "linux-x64", "not-signed"],
      [{ version: "1.0.0", buildHash: sha256("build 1.0.0 linux-arm64") }, "linux-x64", "not-signed"],
      [{ version: "9.9.9", buildHash: "0".repeat(64) }, "linux-x64", "not-signed"],
      [{ version: "1.1.0", buildHash: "0".repeat(64) }, "linux-arm64", "no-build-for-platform"],
    ] as const;
    for (const [build, platform, code] of orders) {
      expect(resolveBundle(bundles, build, platform)).toMatchObject({ error: { code } });
    }
  });

  it("malicious mirrors preventing updates: one of several does not keep the others' news away", async () => {
    const now = Date.now();
    sim = new Simulator(now);
    const packed = await packEntry(dir, "1.1.0", PASSES);
    const { version, buildHash } = packed.versionJson;
    sim.release("1.1.0", { buildHash }, PLATFORM, await readFile(packed.file));
    const old = sim.capture();
    sim.publish();
    await using bad = await Mirror.serve(sim);
    await using good = await Mirror.serve(sim);
    const desired: Desired = {
      jobId: "j-000000000001",
      kind: "update",
      cause: "operator",
      release: version,
      build: { version, buildHash },
      retry: false,
      jitterMs: 0,
    };
    /** What comes of preparing on a node that asks the bad mirror first. */
    const prepared = async (
      name: string,
      servers: readonly [string, ...string[]] = [bad.url, good.url],
      mirrors: readonly string[] = [],
    ): Promise<string> => {
      const layout = layoutOf(join(dir, name));
      await makeLayout(realDisk, layout);
      const preparer = createNodePreparer({
        disk: realDisk,
        layout,
        running: {
          build: { version: "1.0.0", buildHash: "0".repeat(64) },
          dist: null,
          versionJson: null,
          platform: PLATFORM,
        },
        pinnedRoot: sim.pinnedRoot,
        addresses: createAddresses(servers),
        mirrors,
        network: createNetwork({ caFile: null }),
        downloadTimeoutMs: 10_000,
        selfTestTimeoutMs: 10_000,
        env: {},
        log: silentLog,
      });
      const { signal } = new AbortController();
      const done = await preparer.prepare(desired, {
        signal,
        progress: () => undefined,
        line: () => undefined,
      });
      return done.ok ? "ok" : `${done.error.code}: ${done.error.message}`;
    };
    bad.answers.set("*", (response) => response.writeHead(500).end());
    expect(await prepared("in-trouble")).toBe("ok");
    bad.answers.set("*", (response) => response.end("<html>sign in to the network</html>"));
    expect(await prepared("something-else")).toBe("ok");
    bad.answers.clear();
    // It has the metadata, and other bytes.
    const bundle = Object.entries(sim.targets.targets).find(([name]) => name.startsWith("1.1.0/"));
    const path =
      bad.targetUrl(bundle?.[0] ?? "", bundle?.[1].hashes.sha256 ?? "").split("/tuf/targets/")[1] ?? "";
    bad.answers.set(path, (response) => response.end("evil"));
    expect(await prepared("other-bytes")).toBe("ok");
    // It breaks off every time.
    bad.answers.set(path, (response) => {
      response.writeHead(200, { "content-length": bundle?.[1].length });
      response.flushHeaders();
      response.destroy();
    });
    expect(await prepared("breaks-off")).toBe("ok");
    bad.answers.clear();
    // Mirrors are asked first, and the coordinator for what they do not have.
    good.asked.length = 0;
    expect(await prepared("mirror", [good.url], [bad.url])).toBe("ok");
    expect(good.asked).toEqual([]);
    bad.answers.set("*", (response) => response.writeHead(404).end());
    expect(await prepared("empty-mirror", [good.url], [bad.url])).toBe("ok");
    expect(good.asked).toContain(path);
    // It is frozen at a time when the release was not there yet.
    bad.answers.clear();
    const news = sim.capture();
    old();
    const frozen = new Map(sim.files);
    news();
    for (const name of ["timestamp.json", ...sim.files.keys()]) {
      const bytes = frozen.get(name);
      bad.answers.set(name, (response) =>
        bytes === undefined ? response.writeHead(404).end() : response.end(bytes),
      );
    }
    expect(await prepared("frozen")).toBe("ok");
  });

  it("key compromise under the threshold: one stolen key of two signs nothing", async () => {
    const [stolen, kept] = [newSigner(), newSigner()];
    for (const role of ["root", "targets"] as const) {
      sim.rotate(role, [stolen, kept]);
      sim.bumpRoot((root) => ({
        ...root,
        roles: { ...root.roles, [role]: { ...root.roles[role], threshold: 2 } },
      }));
    }
    sim.publish();
    await client.refreshed();
    sim.release("6.6.6");
    sim.signers = { ...sim.signers, targets: [stolen] };
    sim.publish();
    expect(await client.refusal()).toBe("bad-signature");
    // Nor does a root that would do without the other key.
    sim.signers = { ...sim.signers, root: [stolen] };
    sim.bumpRoot((root) => ({
      ...root,
      roles: { ...root.roles, targets: { keyids: [stolen.keyid], threshold: 1 } },
    }));
    expect(await client.refusal()).toBe("root-not-chained");
    // Nor the one key under two names, or its signature twice.
    sim.files.delete(metadataName("root", sim.root.version));
    const { signed, signatures } = signMetadata(sim.targets, [stolen]);
    const [once] = signatures;
    const twice = { signed, signatures: [once, once, { keyid: kept.keyid, sig: once?.sig }] };
    sim.serve(metadataName("targets", sim.targets.version), `${JSON.stringify(twice)}\n`);
    expect(await client.refusal()).toMatch(/^(mix-and-match|too-large)$/);
    sim.signers = { ...sim.signers, targets: [stolen, kept] };
    sim.publish();
    expect(await client.releases()).toContain("6.6.6");
  });
});
