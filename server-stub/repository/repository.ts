/**
 * The repository of signed metadata and bundles that agents read under `/tuf/`, over one directory:
 *
 *   metadata/<n>.root.json  <n>.targets.json  <n>.snapshot.json  timestamp.json
 *   targets/<version>/<sha256>.<platform>-<build>.tar.zst
 *   uploads/<sha256>                                            not served
 *   withdrawn.json                                              not served: bundles that no release names, since when
 *
 * Invariants:
 * - Files appear in the order targets, targets metadata, snapshot, timestamp, each durable before the next. After
 *   a crash between any two, an agent sees the old release or the new one, whole and verifiable.
 * - Nothing is served that the publisher's keys have not signed; this side holds snapshot and timestamp keys only.
 * - One change at a time (in this process; that there is one process is the store's affair).
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { TrustUpdate } from "../../protocol/ceremony.ts";
import { type OfflineRole, type OnlineRole, type Role, rootFingerprint } from "../../protocol/metadata.ts";
import type { Release } from "../../protocol/release.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import type { DurationMs, EpochMs } from "../../protocol/time.ts";
import { LIFETIMES, targetPath } from "../../protocol/trust.ts";
import { verifySigned } from "../../protocol/verify.ts";
import { placeBundles } from "./bundles.ts";
import { bundlesOf, type ReleaseRefused, readTargets, refused, releasesOf } from "./check-targets.ts";
import { copyRepository } from "./copy.ts";
import { type RepositoryFiles, realFiles } from "./files.ts";
import { installTrust } from "./install.ts";
import { isDue } from "./online-metadata.ts";
import { foreignKeys, holdsKeysOf, notReady, readyRoot, sameSigned, type TrustNotReady } from "./roots.ts";
import { type Lifetimes, Shelf } from "./shelf.ts";
import { receiveUpload, sweepUploads } from "./uploads.ts";
import { sweepWithdrawn } from "./withdrawn.ts";

export type RepositoryOptions = {
  readonly dir: string;
  /** Where the snapshot and timestamp keys lie. */
  readonly keysDir: string;
  readonly now: () => EpochMs;
  readonly lifetimes?: Lifetimes;
  /** How long before its end root or targets metadata counts as expiring. */
  readonly warnBeforeMs?: DurationMs;
  readonly maxBundleBytes?: number;
  readonly files?: RepositoryFiles;
  /** Others have the same directory in use. */
  readonly isShared?: boolean;
};

type PublishRefused = ReleaseRefused | TrustNotReady | Fault<"targets-version-conflict">;

/** Root or targets metadata that a person must sign anew. */
export type Expiring = {
  readonly role: OfflineRole;
  readonly version: number;
  readonly expires: string;
  /** Negative once it has expired: then no agent takes anything any more. */
  readonly leftMs: DurationMs;
};

export class Repository {
  readonly #options: RepositoryOptions;
  readonly #shelf: Shelf;
  #turn: Promise<unknown> = Promise.resolve();

  /** Reads what is there, and removes what a crash left in `uploads/`. Throws when it is damaged beyond use. */
  static async open(options: RepositoryOptions): Promise<Repository> {
    const { dir, keysDir, files = realFiles, lifetimes = LIFETIMES } = options;
    for (const sub of ["metadata", "targets", "uploads"]) await mkdir(join(dir, sub), { recursive: true });
    // Another coordinator may be in the middle of receiving one.
    const at = options.isShared === true ? "later" : "start";
    await sweepUploads(join(dir, "uploads"), options.now(), files, at);
    return new Repository(options, await Shelf.open({ dir, keysDir, files, lifetimes }));
  }

  private constructor(options: RepositoryOptions, shelf: Shelf) {
    this.#options = options;
    this.#shelf = shelf;
  }

  /** Reads again what is there: another process may have changed it. */
  refresh(): Promise<void> {
    return this.#alone(() => this.#shelf.reload());
  }

  /** What a node is told when it joins; null before the ceremony. */
  get rootFingerprint(): string | null {
    const { root } = this.#shelf.state;
    return root === null ? null : rootFingerprint(root);
  }

  /** 0 before the first release. */
  get targetsVersion(): number {
    return this.#shelf.state.targets?.signed.version ?? 0;
  }

  /** What is signed and can be fetched, with the version to publish on top of and when its signature ends. */
  releases(): { releases: Release[]; targetsVersion: number; expiresAt: string | null } {
    const { targets } = this.#shelf.state;
    return {
      releases: targets === null ? [] : releasesOf(targets),
      targetsVersion: this.targetsVersion,
      expiresAt: targets?.signed.expires ?? null,
    };
  }

  /** Root and targets metadata that expires soon, for an alert. */
  expiring(now: EpochMs = this.#options.now()): Expiring[] {
    const { root, targets } = this.#shelf.state;
    const warnBeforeMs = this.#options.warnBeforeMs ?? LIFETIMES.warnBeforeMs;
    return [root, targets].flatMap((metadata): Expiring[] => {
      if (metadata === null) return [];
      const { _type: role, version, expires } = metadata.signed;
      const leftMs = Date.parse(expires) - now;
      return leftMs < warnBeforeMs ? [{ role, version, expires, leftMs }] : [];
    });
  }

  /** Every role that is signed, with when its signature ends. */
  expiries(): { role: Role; version: number; expires: string }[] {
    const { root, targets, snapshot, timestamp } = this.#shelf.state;
    return [root, targets, snapshot, timestamp].flatMap((metadata) => {
      if (metadata === null) return [];
      const { _type: role, version, expires } = metadata.signed;
      return [{ role, version, expires }];
    });
  }

  /**
   * Removes what was uploaded more than a day ago and never published, and bundles that no release has named for
   * `bundlesAfterMs`. Answers their names. To be called now and then.
   */
  sweep(bundlesAfterMs: DurationMs, now: EpochMs = this.#options.now()): Promise<string[]> {
    const { dir, files = realFiles } = this.#options;
    return this.#alone(async () => {
      const uploads = await sweepUploads(join(dir, "uploads"), now, files, "later");
      const { targets } = this.#shelf.state;
      if (targets === null) return uploads;
      return [...uploads, ...(await sweepWithdrawn(files, dir, targets, now, bundlesAfterMs))];
    });
  }

  /** Takes a bundle in, before it is published. See `receiveUpload`. */
  upload(sha256: string, body: Readable): ReturnType<typeof receiveUpload> {
    return receiveUpload(join(this.#options.dir, "uploads"), sha256, body, this.#options.maxBundleBytes);
  }

  /**
   * Publishes targets metadata: a compare-and-set on its version. A publish that succeeded may be repeated.
   * Errors: `trust-not-ready`, `targets-version-conflict`, `release-refused`; all leave everything as it was.
   */
  publish(
    value: unknown,
    expectedVersion: number,
  ): Promise<Result<{ targetsVersion: number }, PublishRefused>> {
    return this.#alone(async () => {
      const now = this.#options.now();
      const { state, keys } = this.#shelf;
      const root = readyRoot(state.root, keys, now);
      if (!root.ok) return root;
      const targets = readTargets(value);
      if (!targets.ok) return targets;
      const { version, expires } = targets.value.signed;
      const published = state.targets;
      if (published !== null && sameSigned(published, targets.value)) return ok({ targetsVersion: version });
      if (this.targetsVersion !== expectedVersion) return err(conflict(expectedVersion, this.targetsVersion));
      // More than one up is fine: after a restore, a publisher goes on above what nodes have seen.
      if (version <= expectedVersion) {
        return refused(`Targets version ${version} cannot follow version ${expectedVersion}.`);
      }
      if (Date.parse(expires) <= now) {
        return refused(`The targets metadata has expired already, on ${expires}.`);
      }
      const signed = verifySigned(root.value, "targets", targets.value);
      if (!signed.ok) return refused(signed.error.message);
      const placed = await placeBundles(this.#shelf.files, this.#shelf.dir, targets.value, published);
      if (!placed.ok) return placed;
      await this.#shelf.writeTargets(targets.value);
      await this.#shelf.signFor(targets.value, [root.value], now);
      return ok({ targetsVersion: version });
    });
  }

  /**
   * Signs snapshot and timestamp anew where half of their time is gone, or where they do not verify; answers what
   * was signed. To be called at start and by a timer; doing nothing is cheap. Error `trust-not-ready`: the root
   * does not name our keys.
   */
  resign(now: EpochMs = this.#options.now()): Promise<Result<OnlineRole[], TrustNotReady>> {
    return this.#alone(async () => {
      const { lifetimes, keys } = this.#shelf;
      const { root, targets, snapshot, timestamp } = this.#shelf.state;
      if (root === null || targets === null) return ok([]);
      const snapshotDue = snapshot === null || isDue(snapshot.signed.expires, lifetimes.snapshot, now);
      const timestampDue = timestamp === null || isDue(timestamp.signed.expires, lifetimes.timestamp, now);
      if (!snapshotDue && !timestampDue) return ok([]);
      if (!holdsKeysOf(keys, root)) return notReady(...foreignKeys(root.signed.version));
      if (snapshotDue) {
        await this.#shelf.signFor(targets, [root], now);
        return ok(["snapshot", "timestamp"]);
      }
      await this.#shelf.signTimestamp(snapshot, [root], now);
      return ok(["timestamp"]);
    });
  }

  /**
   * Signs snapshot and timestamp anew, due or not, with versions above those named: after a restore agents have seen
   * others than the disk remembers. Error `trust-not-ready`: the root does not name our keys.
   */
  signAbove(used: Readonly<Record<OnlineRole, number>>): Promise<Result<OnlineRole[], TrustNotReady>> {
    return this.#alone(async () => {
      const { root, targets } = this.#shelf.state;
      if (root === null || targets === null) return ok([]);
      if (!holdsKeysOf(this.#shelf.keys, root)) return notReady(...foreignKeys(root.signed.version));
      this.#shelf.raise(used);
      await this.#shelf.signFor(targets, [root], this.#options.now());
      return ok(["snapshot", "timestamp"]);
    });
  }

  /** Bundles that are named and not there, which a backup may leave out. `path` is below `targets/`. */
  async missingBundles(): Promise<{ name: string; path: string }[]> {
    const { dir, files = realFiles } = this.#options;
    const { targets } = this.#shelf.state;
    const missing: { name: string; path: string }[] = [];
    for (const { name, sha256 } of targets === null ? [] : bundlesOf(targets)) {
      const path = targetPath(name, sha256);
      if ((await files.changedAt(join(dir, "targets", path))) === null) missing.push({ name, path });
    }
    return missing;
  }

  /**
   * Copies what is signed to a new directory, with the bundles that are named if told so; those are linked. No change
   * happens meanwhile. Answers the versions.
   */
  copyTo(to: string, withBundles: boolean): Promise<Readonly<Record<Role, number | null>>> {
    return this.#alone(() => copyRepository(this.#options.dir, to, this.#shelf.state, withBundles));
  }

  /**
   * Installs roots, each following the one before; the last must name keys that are held here. Where that changes
   * the targets keys, the last update brings targets metadata that its root accepts. May be repeated, also after
   * a crash in the middle. Errors: `root-refused`, `release-refused`; both leave everything as it was.
   */
  installTrust(updates: readonly TrustUpdate[]): ReturnType<typeof installTrust> {
    return this.#alone(() => installTrust(this.#shelf, updates, this.#options.now()));
  }

  /** One change after the other. When one fails on the disk, what is in memory is read from the disk again. */
  #alone<T>(change: () => Promise<T>): Promise<T> {
    const run = this.#turn.then(async () => {
      try {
        return await change();
      } catch (cause) {
        await this.#shelf.reload();
        throw cause;
      }
    });
    this.#turn = run.catch(() => undefined);
    return run;
  }
}

const conflict = (expected: number, actual: number): Fault<"targets-version-conflict"> => ({
  code: "targets-version-conflict",
  message: `The targets metadata is at version ${actual}, not ${expected}: somebody else published meanwhile.`,
  hint: "Nothing was published. Run the publish again, on top of what is there now.",
  context: { expected, actual },
});
