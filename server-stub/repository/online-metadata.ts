/**
 * Snapshot and timestamp metadata, made from what they point to. Pure but for the signing.
 *
 * Their versions are the seconds since 1970, or one more than the last if that is greater: so they rise even when
 * the coordinator is restored from a backup that has forgotten some, and agents do not take it for a rollback.
 */
import { createHash } from "node:crypto";
import {
  type MetaFile,
  metadataText,
  type Signer,
  type SnapshotMetadata,
  SPEC_VERSION,
  signMetadata,
  type TargetsMetadata,
  type TimestampMetadata,
  tufInstant,
} from "../../protocol/metadata.ts";
import type { DurationMs, EpochMs } from "../../protocol/time.ts";

export function makeSnapshot(
  targets: TargetsMetadata,
  last: number,
  at: { readonly now: EpochMs; readonly lifetime: DurationMs },
  signers: readonly Signer[],
): SnapshotMetadata {
  return signMetadata(
    {
      _type: "snapshot",
      spec_version: SPEC_VERSION,
      version: nextVersion(last, at.now),
      expires: tufInstant(at.now + at.lifetime),
      meta: { "targets.json": pointTo(targets.signed.version, metadataText(targets)) },
    },
    signers,
  );
}

export function makeTimestamp(
  snapshot: SnapshotMetadata,
  last: number,
  at: { readonly now: EpochMs; readonly lifetime: DurationMs },
  signers: readonly Signer[],
): TimestampMetadata {
  return signMetadata(
    {
      _type: "timestamp",
      spec_version: SPEC_VERSION,
      version: nextVersion(last, at.now),
      expires: tufInstant(at.now + at.lifetime),
      signed_at: tufInstant(at.now),
      meta: { "snapshot.json": pointTo(snapshot.signed.version, metadataText(snapshot)) },
    },
    signers,
  );
}

/** Due when less than half of its time is left, or more than all of it (signed while the clock was ahead). */
export function isDue(expires: string, lifetime: DurationMs, now: EpochMs): boolean {
  const left = Date.parse(expires) - now;
  return left < lifetime / 2 || left > lifetime + 1000;
}

const nextVersion = (last: number, now: EpochMs): number => Math.max(last + 1, Math.floor(now / 1000));

function pointTo(version: number, text: string): MetaFile {
  const bytes = Buffer.from(text);
  return {
    version,
    length: bytes.length,
    hashes: { sha256: createHash("sha256").update(bytes).digest("hex") },
  };
}
