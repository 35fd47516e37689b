/**
 * A repository in memory that a test can bend: change what it would sign, publish it, or serve other bytes. It
 * implements the agent's fetch, so that every check runs on real keys and real signatures.
 *
 *   sim.release("1.1.0"); sim.publish(); await client.refresh()
 *
 * After the repository simulator of python-tuf, in idea.
 */
import { createHash, generateKeyPairSync } from "node:crypto";
import type { FetchMetadata } from "../../agent/effects/trust/fetch.ts";
import { firstRoot, nextRoot } from "../../cli/keys/root.ts";
import type { Platform } from "../../protocol/build.ts";
import {
  metadataText,
  publicKeyOf,
  type Role,
  type RootSigned,
  type Signer,
  type SnapshotSigned,
  SPEC_VERSION,
  signerOf,
  signMetadata,
  type TargetEntry,
  type TargetsSigned,
  type TimestampSigned,
  tufInstant,
} from "../../protocol/metadata.ts";
import { metadataName, type ReleaseCustom, targetName } from "../../protocol/trust.ts";

export const DAY = 86_400_000;
export const NOW = Date.parse("2026-06-01T12:00:00Z");
export const METADATA_URL = "http://sim/tuf/metadata";

/** A key is made in under a millisecond, so every role gets its own, anew for every test. */
export const newSigner = (): Signer => signerOf(generateKeyPairSync("ed25519").privateKey);

const holders = (signers: readonly Signer[]) => ({
  keys: signers.map(({ privateKey }) => publicKeyOf(privateKey)),
  threshold: 1,
});

export const sha256 = (bytes: Uint8Array | string): string =>
  createHash("sha256").update(bytes).digest("hex");

export class Simulator {
  /** Who signs for each role, from the next publish on. */
  signers: Record<Role, Signer[]> = {
    root: [newSigner()],
    targets: [newSigner()],
    snapshot: [newSigner()],
    timestamp: [newSigner()],
  };
  root: RootSigned;
  targets: TargetsSigned;
  snapshot: SnapshotSigned;
  timestamp: TimestampSigned;
  /** What is served, by name below `metadata/`. */
  readonly files = new Map<string, Buffer>();
  /** Names in the order they were asked for. */
  readonly asked: string[] = [];
  /** Bytes of bundles, by target name. */
  readonly bundles = new Map<string, Buffer>();

  constructor(now = NOW) {
    const signed = <T extends string>(_type: T, days: number) => ({
      _type,
      spec_version: SPEC_VERSION,
      version: 1,
      expires: tufInstant(now + days * DAY),
    });
    this.root = firstRoot(
      {
        root: holders(this.signers.root),
        targets: holders(this.signers.targets),
        snapshot: holders(this.signers.snapshot),
        timestamp: holders(this.signers.timestamp),
      },
      now + 365 * DAY,
    );
    this.targets = { ...signed("targets", 180), targets: {} };
    this.snapshot = { ...signed("snapshot", 7), meta: { "targets.json": { version: 1 } } };
    this.timestamp = {
      ...signed("timestamp", 1),
      signed_at: tufInstant(now),
      meta: { "snapshot.json": { version: 1 } },
    };
    this.serveRoot();
    this.release("1.0.0");
    this.serveAll();
  }

  /** The root that a node would be given now. */
  get pinnedRoot(): Buffer {
    const bytes = this.files.get(metadataName("root", this.root.version));
    if (bytes === undefined) throw new Error("no root is served");
    return bytes;
  }

  /** Adds a bundle to what the targets metadata will name. */
  release(
    version: string,
    custom: Partial<ReleaseCustom> = {},
    platform: Platform = "linux-x64",
    bytes = Buffer.from(`bundle of ${version} for ${platform}`),
  ): string {
    const build = { version, buildHash: custom.buildHash ?? sha256(`build ${version} ${platform}`) };
    const name = targetName(build, platform);
    const entry: TargetEntry = {
      length: bytes.length,
      hashes: { sha256: sha256(bytes) },
      custom: { ...build, platform, engines: { node: ">=22" }, protocol: 1, ...custom },
    };
    this.targets = { ...this.targets, targets: { ...this.targets.targets, [name]: entry } };
    this.bundles.set(name, bytes);
    return name;
  }

  /** Everything anew: each version one up, and all of it consistent. */
  publish(): void {
    this.targets.version += 1;
    this.resign();
  }

  /** Snapshot and timestamp anew over the targets as they are. */
  resign(): void {
    this.snapshot.version += 1;
    this.timestamp.version += 1;
    this.serveAll();
  }

  /** Replaces a role's keys in the next root, signed by the root keys of before and of now. */
  rotate(role: Role, keys: Signer[] = [newSigner()]): void {
    const before = this.signers.root;
    this.signers = { ...this.signers, [role]: keys };
    this.root = nextRoot(this.root, { [role]: holders(keys) }, Date.parse(this.root.expires));
    this.serveRoot([...before, ...this.signers.root]);
  }

  /** The next root, changed at will. */
  bumpRoot(change: (root: RootSigned) => RootSigned = (root) => root, signers = this.signers.root): void {
    this.root = change({ ...this.root, version: this.root.version + 1 });
    this.serveRoot(signers);
  }

  serveRoot(signers: readonly Signer[] = this.signers.root): void {
    const unique = [...new Map(signers.map((signer) => [signer.keyid, signer])).values()];
    this.serve(metadataName("root", this.root.version), metadataText(signMetadata(this.root, unique)));
  }

  /** Signs and serves targets, snapshot and timestamp, each pointing to what is served. */
  serveAll(): void {
    const point = (version: number, text: string) => ({
      version,
      length: Buffer.byteLength(text),
      hashes: { sha256: sha256(text) },
    });
    const targets = metadataText(signMetadata(this.targets, this.signers.targets));
    this.serve(metadataName("targets", this.targets.version), targets);
    this.snapshot.meta = { "targets.json": point(this.targets.version, targets) };
    const snapshot = metadataText(signMetadata(this.snapshot, this.signers.snapshot));
    this.serve(metadataName("snapshot", this.snapshot.version), snapshot);
    this.timestamp.meta = { "snapshot.json": point(this.snapshot.version, snapshot) };
    this.serveTimestamp();
  }

  serveTimestamp(): void {
    this.serve("timestamp.json", metadataText(signMetadata(this.timestamp, this.signers.timestamp)));
  }

  serve(name: string, bytes: Uint8Array | string): void {
    this.files.set(name, Buffer.from(bytes));
  }

  /** What is served now, to be put back later: a replay. */
  capture(): () => void {
    const before = new Map(this.files);
    return () => {
      this.files.clear();
      for (const [name, bytes] of before) this.files.set(name, bytes);
    };
  }

  readonly fetch: FetchMetadata = (url) => {
    const name = url.slice(METADATA_URL.length + 1);
    this.asked.push(name);
    const bytes = this.files.get(name);
    const body = (async function* () {
      if (bytes !== undefined) yield bytes;
    })();
    return Promise.resolve({ status: bytes === undefined ? 404 : 200, body });
  };
}
