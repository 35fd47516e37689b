/**
 * Refreshing what this node trusts, from the root that it was given: verified in a copy, fsynced, swapped in.
 *
 *   <stateDir>/tuf/current/   the verified metadata: root, timestamp, snapshot, targets
 *   <stateDir>/trust-floor.json   versions seen, so that losing the above makes nobody younger
 *
 * Invariants: what is on disk is a whole set at every instant; a refresh that fails changes nothing but the root,
 * and that only forward along a chain that verifies; the clock of this machine is never the only witness of time.
 */
import { join } from "node:path";
import { canonicalBytes, RootMetadata, rootFingerprint } from "../../../protocol/metadata.ts";
import { parseJson } from "../../../protocol/parse.ts";
import { err, ok, type Result } from "../../../protocol/result.ts";
import type { DurationMs, EpochMs } from "../../../protocol/time.ts";
import type { Disk } from "../disk.ts";
import { EMPTY_SET, type MetadataSet, readSet, swapSet, sweepSets } from "./cache.ts";
import { openCore, referenceTime, rootOf, type TrustCore } from "./core.ts";
import { found, type TrustFault } from "./fault.ts";
import { type FetchMetadata, readMetadata } from "./fetch.ts";
import { raise, readFloor, type TrustFloor, writeFloor } from "./floor.ts";
import { bundlesIn, type SignedBundle } from "./releases.ts";
import { runWorkflow } from "./workflow.ts";

export type TrustPlace = {
  readonly disk: Disk;
  /** `/var/lib/baton-agent/state`. */
  readonly stateDir: string;
  /** The root that this node was given when it joined, as bytes. */
  readonly pinnedRoot: Uint8Array;
  readonly now: () => EpochMs;
  /** When the running build was made (`builtAt` of its version.json); 0 when unknown. */
  readonly builtAt: EpochMs;
};

export type RefreshOptions = TrustPlace & {
  /** Address below which metadata lies, such as `https://coordinator/tuf/metadata`. */
  readonly metadataUrl: string;
  readonly fetch: FetchMetadata;
  /** Longest for one file. */
  readonly timeoutMs: DurationMs;
  readonly signal?: AbortSignal;
};

export type Trusted = {
  readonly bundles: readonly SignedBundle[];
  readonly versions: Readonly<Record<"root" | "timestamp" | "snapshot" | "targets", number>>;
  /** What was found amiss and mended on the way, for the log. */
  readonly notes: readonly string[];
};

/**
 * One refresh, start to end. Callers take care that one runs at a time (the update lock); it may be repeated.
 * Errors: `TrustCode`. Rejects only for faults of the disk, and when `signal` aborts.
 */
export async function refreshTrust(options: RefreshOptions): Promise<Result<Trusted, TrustFault>> {
  const start = await openTrust(options);
  if (!start.ok) return start;
  const { core, pin, floor, set: cached, notes } = start.value;
  const { metadataUrl, fetch, timeoutMs, signal } = options;
  const base = metadataUrl.replace(/\/+$/, "");
  const outcome = await runWorkflow({
    core,
    pin,
    cached,
    floor,
    get: (role, name, maxBytes) => {
      const at = { role, url: `${base}/${name}`, timeoutMs };
      return readMetadata(fetch, maxBytes === undefined ? at : { ...at, maxBytes }, signal);
    },
  });
  if (!outcome.ok) {
    if (outcome.set.root !== cached.root) {
      await keep(options, start.value, outcome.set, raise(floor, pin, rootOf(core), {}, 0));
    }
    return err(outcome.fault);
  }
  const { timestamp, snapshot, targets } = core;
  if (timestamp === undefined || snapshot === undefined || targets === undefined) {
    throw new Error("a refresh that succeeded has left metadata out");
  }
  const versions = {
    root: core.root.signed.version,
    timestamp: timestamp.signed.version,
    snapshot: snapshot.signed.version,
    targets: targets.signed.version,
  };
  const proven = Math.min(start.value.reference, outcome.signedAt ?? start.value.reference);
  await keep(options, start.value, outcome.set, raise(floor, pin, rootOf(core), versions, proven));
  return ok({ bundles: bundlesIn(targets.signed), versions, notes });
}

export type TrustStart = {
  readonly core: TrustCore;
  readonly pin: string;
  readonly reference: EpochMs;
  readonly floor: TrustFloor | null;
  /** What is cached; its root is the one that the core starts from. */
  readonly set: MetadataSet;
  readonly onDisk: MetadataSet;
  readonly notes: readonly string[];
};

/**
 * Opens what is trusted before a refresh: the cached root where it is sound and grew from the pinned one, else the
 * pinned root. Error: `bad-root`, when the pinned root itself cannot be used.
 */
export async function openTrust(place: TrustPlace): Promise<Result<TrustStart, TrustFault>> {
  const { disk, stateDir, now, builtAt } = place;
  const pinned = Buffer.from(place.pinnedRoot);
  const parsed = parseJson(RootMetadata, pinned.toString(), "The pinned root");
  if (!parsed.ok) return err(found("bad-root", parsed.error.message));
  const pin = rootFingerprint(parsed.value);
  const { floor, note } = await readFloor(disk, floorPath(stateDir));
  const notes = note === null ? [] : [note];
  const reference = referenceTime(now(), builtAt, floor?.lastSeen ?? 0);
  const onDisk = await readSet(disk, cacheDir(stateDir));
  const begin = (core: TrustCore, set: MetadataSet) =>
    ok({ core, pin, reference, floor, set, onDisk, notes });

  // A cached root that grew from another pin belongs to a fleet that this node has left.
  const grown = onDisk.root !== null && (floor === null || floor.pin === pin) ? onDisk.root : null;
  if (grown !== null) {
    const core = await openCore(grown, reference);
    if (core === null) notes.push("The cached root was torn; trust begins at the pinned root again.");
    else if (core.root.signed.version >= parsed.value.signed.version) return begin(core, onDisk);
  }
  const core = await openCore(pinned, reference);
  if (core === null)
    return err(found("bad-root", "The pinned root is not signed by the keys that it names."));
  const set = floor === null || floor.pin === pin ? onDisk : EMPTY_SET;
  return begin(core, { ...set, root: pinned });
}

/** Writes a set and a floor where they are news. */
export async function keep(
  { disk, stateDir }: TrustPlace,
  start: TrustStart,
  set: MetadataSet,
  floor: TrustFloor,
): Promise<void> {
  const same = (["root", "timestamp", "snapshot", "targets"] as const).every((role) => {
    const [old, fresh] = [start.onDisk[role], set[role]];
    return old === fresh || (old !== null && fresh !== null && old.equals(fresh));
  });
  if (!same) await swapSet(disk, cacheDir(stateDir), set);
  await sweepSets(disk, cacheDir(stateDir));
  const unchanged = start.floor !== null && canonicalBytes(start.floor).equals(canonicalBytes(floor));
  if (!unchanged) await writeFloor(disk, floorPath(stateDir), floor);
}

const cacheDir = (stateDir: string): string => join(stateDir, "tuf");
const floorPath = (stateDir: string): string => join(stateDir, "trust-floor.json");
