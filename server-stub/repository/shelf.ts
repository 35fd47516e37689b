/**
 * The repository's state in memory and on disk, and the only writer of metadata: snapshot before timestamp, each
 * durable before the next. Callers take care that one change runs at a time.
 */
import { join } from "node:path";
import {
  metadataText,
  type OnlineRole,
  type Role,
  type RootMetadata,
  type Signed,
  type Signer,
  type SnapshotMetadata,
  type TargetsMetadata,
} from "../../protocol/metadata.ts";
import type { DurationMs, EpochMs } from "../../protocol/time.ts";
import { metadataName } from "../../protocol/trust.ts";
import type { RepositoryFiles } from "./files.ts";
import { namedKeys, type OnlineKeys, readOnlineKeys } from "./online-keys.ts";
import { makeSnapshot, makeTimestamp } from "./online-metadata.ts";
import { type RepositoryState, readState } from "./state.ts";

export type Lifetimes = Readonly<Record<OnlineRole, DurationMs>>;

/** Snapshots and targets metadata that are kept for agents in the middle of reading them. */
const KEPT_VERSIONS = 5;

export class Shelf {
  readonly dir: string;
  readonly files: RepositoryFiles;
  readonly lifetimes: Lifetimes;
  readonly #keysDir: string;
  #state: RepositoryState;
  #keys: OnlineKeys;

  static async open(at: {
    dir: string;
    keysDir: string;
    files: RepositoryFiles;
    lifetimes: Lifetimes;
  }): Promise<Shelf> {
    const state = await readState(at.files, join(at.dir, "metadata"));
    return new Shelf(at, state, await readOnlineKeys(at.keysDir, at.files));
  }

  private constructor(
    at: { dir: string; keysDir: string; files: RepositoryFiles; lifetimes: Lifetimes },
    state: RepositoryState,
    keys: OnlineKeys,
  ) {
    this.dir = at.dir;
    this.files = at.files;
    this.lifetimes = at.lifetimes;
    this.#keysDir = at.keysDir;
    this.#state = state;
    this.#keys = keys;
  }

  get state(): RepositoryState {
    return this.#state;
  }

  get keys(): OnlineKeys {
    return this.#keys;
  }

  /** Reads everything from the disk again: after a failed write, or because keys were added. */
  async reload(): Promise<void> {
    this.#keys = await readOnlineKeys(this.#keysDir, this.files);
    this.#state = await readState(this.files, join(this.dir, "metadata"));
  }

  /** Versions up to these are taken to be used, whatever the disk remembers. */
  raise({ snapshot, timestamp }: Readonly<Record<OnlineRole, number>>): void {
    this.#state = {
      ...this.#state,
      lastSnapshot: Math.max(this.#state.lastSnapshot, snapshot),
      lastTimestamp: Math.max(this.#state.lastTimestamp, timestamp),
    };
  }

  async writeRoot(root: RootMetadata): Promise<void> {
    await this.#write("root", root);
    this.#state = { ...this.#state, root };
  }

  /** Targets metadata that nothing points to yet: not published before `signFor`. */
  writeTargets(targets: TargetsMetadata): Promise<void> {
    return this.#write("targets", targets);
  }

  /** Publishes `targets` by a snapshot and a timestamp, signed by the keys that any of the roots names. */
  async signFor(targets: TargetsMetadata, roots: readonly RootMetadata[], now: EpochMs): Promise<void> {
    const at = { now, lifetime: this.lifetimes.snapshot };
    const signers = this.#signers("snapshot", roots);
    const snapshot = makeSnapshot(targets, this.#state.lastSnapshot, at, signers);
    await this.#write("snapshot", snapshot);
    this.#state = { ...this.#state, lastSnapshot: snapshot.signed.version };
    await this.signTimestamp(snapshot, roots, now);
    this.#state = { ...this.#state, targets, snapshot };
    await this.#prune();
  }

  async signTimestamp(
    snapshot: SnapshotMetadata,
    roots: readonly RootMetadata[],
    now: EpochMs,
  ): Promise<void> {
    const at = { now, lifetime: this.lifetimes.timestamp };
    const signers = this.#signers("timestamp", roots);
    const timestamp = makeTimestamp(snapshot, this.#state.lastTimestamp, at, signers);
    await this.#write("timestamp", timestamp);
    this.#state = { ...this.#state, timestamp, lastTimestamp: timestamp.signed.version };
  }

  #signers(role: OnlineRole, roots: readonly RootMetadata[]): Signer[] {
    return namedKeys(
      this.#keys[role],
      roots.map((root) => root.signed.roles[role]),
    );
  }

  #write(role: Role, metadata: Signed<{ version: number }>): Promise<void> {
    const path = join(this.dir, "metadata", metadataName(role, metadata.signed.version));
    return this.files.write(path, metadataText(metadata), 0o644);
  }

  async #prune(): Promise<void> {
    const metadataDir = join(this.dir, "metadata");
    const names = await this.files.list(metadataDir);
    for (const role of ["snapshot", "targets"]) {
      const old = names
        .filter((name) => name.endsWith(`.${role}.json`) && !name.startsWith("."))
        .sort((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10))
        .slice(KEPT_VERSIONS);
      for (const name of old) await this.files.remove(join(metadataDir, name));
    }
  }
}
