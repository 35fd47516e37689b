/**
 * A publisher and a coordinator's repository in temporary directories: the real keys command, the real repository,
 * real signatures. Root and targets keys lie unencrypted in memory here, since opening them is slow on purpose and
 * tested elsewhere.
 */
import { createReadStream } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { FetchMetadata } from "../../agent/effects/trust/fetch.ts";
import { firstRoot, nextRoot } from "../../cli/keys/root.ts";
import { nextTargets } from "../../cli/publish/next-targets.ts";
import type { Platform } from "../../protocol/build.ts";
import { readKeyRequest, type TrustUpdate } from "../../protocol/ceremony.ts";
import {
  metadataText,
  type OfflineRole,
  type PublicKey,
  publicKeyOf,
  type RootMetadata,
  type Signer,
  signMetadata,
  type TargetsMetadata,
} from "../../protocol/metadata.ts";
import type { RepositoryFiles } from "../../server-stub/repository/files.ts";
import { createOnlineKeys, firstKeyRequest } from "../../server-stub/repository/online-keys.ts";
import { Repository } from "../../server-stub/repository/repository.ts";
import { Client } from "./client.ts";
import { DAY, METADATA_URL, NOW, newSigner, sha256 } from "./simulator.ts";

const holder = (...keys: PublicKey[]) => ({ keys, threshold: 1 });
const publicOf = ({ privateKey }: Signer) => publicKeyOf(privateKey);

export class Publisher {
  now = NOW;
  readonly dir: string;
  signers: Record<OfflineRole, Signer> = { root: newSigner(), targets: newSigner() };
  root: RootMetadata | null = null;
  targets: TargetsMetadata | null = null;
  readonly #nodes: Client[] = [];

  static async make(): Promise<Publisher> {
    return new Publisher(await mkdtemp(join(tmpdir(), "baton-repository-")));
  }

  /** Over a coordinator's own state directory. */
  static at(dir: string): Publisher {
    return new Publisher(dir);
  }

  private constructor(dir: string) {
    this.dir = dir;
  }

  get keysDir(): string {
    return join(this.dir, "keys");
  }

  /** The repository as a coordinator that has just started has it. */
  open(files?: RepositoryFiles): Promise<Repository> {
    return Repository.open({
      dir: join(this.dir, "repository"),
      keysDir: this.keysDir,
      now: () => this.now,
      ...(files && { files }),
    });
  }

  /** The first root over the coordinator's keys. */
  async ceremony(): Promise<RootMetadata> {
    const asked = readKeyRequest(JSON.stringify(await firstKeyRequest(this.keysDir)));
    if (!asked.ok || asked.value.snapshot === undefined || asked.value.timestamp === undefined) {
      throw new Error("no good request");
    }
    const signed = firstRoot(
      {
        root: holder(publicOf(this.signers.root)),
        targets: holder(publicOf(this.signers.targets)),
        snapshot: holder(asked.value.snapshot),
        timestamp: holder(asked.value.timestamp),
      },
      this.now + 365 * DAY,
    );
    this.root = signMetadata(signed, [this.signers.root]);
    return this.root;
  }

  /** A repository with a root, and `versions` published one after the other. */
  async ready(...versions: string[]): Promise<Repository> {
    const repository = await this.open();
    must(await repository.installTrust([{ root: await this.ceremony() }]));
    for (const version of versions) must(await this.publish(repository, version));
    return repository;
  }

  bundle(version: string, platform: Platform = "linux-x64") {
    const bytes = Buffer.from(`bundle of ${version} for ${platform}`);
    const versionJson = {
      version,
      buildHash: sha256(`build ${version} ${platform}`),
      builtAt: "2026-05-01T00:00:00Z",
      gitCommit: "unknown",
      entry: "main.js",
      engines: { node: ">=26" },
      platform,
      protocol: 1,
    };
    return { content: bytes, bytes: bytes.length, sha256: sha256(bytes), versionJson };
  }

  /** Signs targets with these bundles added. */
  sign(version: string, platforms: Platform[] = ["linux-x64"], minVersion?: string): TargetsMetadata {
    const bundles = platforms.map((platform) => this.bundle(version, platform));
    const release = { bundles, ...(minVersion !== undefined && { minVersion }) };
    const next = must(nextTargets(this.targets?.signed ?? null, release, this.now + 180 * DAY));
    return signMetadata(next, [this.signers.targets]);
  }

  async upload(repository: Repository, version: string, platform?: Platform): Promise<void> {
    const { sha256: hash, content } = this.bundle(version, platform);
    must(await repository.upload(hash, Readable.from([content])));
  }

  async publish(repository: Repository, version: string) {
    await this.upload(repository, version);
    const targets = this.sign(version);
    const published = await repository.publish(targets, targets.signed.version - 1);
    if (published.ok) this.targets = targets;
    return published;
  }

  /** The next root, with other keys for a role, as `baton keys rotate` signs it. */
  async rotate(role: "root" | "targets" | "snapshot" | "timestamp" | "both online"): Promise<TrustUpdate> {
    if (this.root === null) throw new Error("no root");
    const expires = this.now + 365 * DAY;
    const before = this.signers;
    if (role === "root" || role === "targets") {
      const fresh = newSigner();
      this.signers = { ...before, [role]: fresh };
      const next = nextRoot(this.root.signed, { [role]: holder(publicOf(fresh)) }, expires);
      this.root = signMetadata(next, role === "root" ? [before.root, fresh] : [before.root]);
      if (role === "root" || this.targets === null) return { root: this.root };
      const again = { ...this.targets.signed, version: this.targets.signed.version + 1 };
      this.targets = signMetadata(again, [before.targets, fresh]);
      return { root: this.root, targets: this.targets };
    }
    const roles = role === "both online" ? (["snapshot", "timestamp"] as const) : ([role] as const);
    const asked = must(readKeyRequest(JSON.stringify(await createOnlineKeys(this.keysDir, roles))));
    const changes = Object.fromEntries(Object.entries(asked).map(([name, key]) => [name, holder(key)]));
    this.root = signMetadata(nextRoot(this.root.signed, changes, expires), [before.root]);
    return { root: this.root };
  }

  /** What agents fetch: the files as they lie there at that moment. */
  readonly fetch: FetchMetadata = async (url) => {
    const file = join(this.dir, "repository", "metadata", url.slice(METADATA_URL.length + 1));
    const bytes = await readFile(file).catch(() => null);
    if (bytes === null) return { status: 404, body: Readable.from([]) };
    return { status: 200, body: createReadStream(file) };
  };

  target(path: string): Promise<Buffer> {
    return readFile(join(this.dir, "repository", "targets", path));
  }

  /** A node that joins now, with the root that is current now. Removed with the publisher. */
  async node(): Promise<Client> {
    if (this.root === null) throw new Error("no root");
    const pinnedRoot = Buffer.from(metadataText(this.root));
    const client = await Client.make({ pinnedRoot, fetch: this.fetch });
    this.#nodes.push(client);
    return client;
  }

  async remove(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
    for (const client of this.#nodes) await client.remove();
  }
}

export function must<T>(
  result: { ok: true; value: T } | { ok: false; error: { code: string; message: string } },
): T {
  if (result.ok) return result.value;
  throw new Error(`${result.error.code}: ${result.error.message}`);
}
