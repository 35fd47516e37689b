/**
 * What the repository's files say. `timestamp.json` is the one name that is replaced: what it leads to is what is
 * published, and everything else is history or left over from a crash.
 */
import { join } from "node:path";
import {
  type Role,
  RootMetadata,
  type Signed,
  SnapshotMetadata,
  type TargetsMetadata,
  TimestampMetadata,
} from "../../protocol/metadata.ts";
import { parseJson } from "../../protocol/parse.ts";
import type { TSchema } from "../../protocol/schema.ts";
import { metadataName } from "../../protocol/trust.ts";
import { verifySigned } from "../../protocol/verify.ts";
import { readTargets } from "./check-targets.ts";
import type { RepositoryFiles } from "./files.ts";

export type RepositoryState = {
  readonly root: RootMetadata | null;
  readonly targets: TargetsMetadata | null;
  /** Null when there is none that agents would accept: it must be signed anew. */
  readonly snapshot: SnapshotMetadata | null;
  readonly timestamp: TimestampMetadata | null;
  /** Highest versions ever seen here, so that they are not used twice. */
  readonly lastSnapshot: number;
  readonly lastTimestamp: number;
};

export async function readState(files: RepositoryFiles, metadataDir: string): Promise<RepositoryState> {
  const names = await files.list(metadataDir);
  const read = async (schema: TSchema, name: string): Promise<unknown> => {
    const text = await files.read(join(metadataDir, name));
    const parsed = text === null ? null : parseJson(schema, text, name);
    return parsed?.ok === true ? parsed.value : null;
  };
  const versions = (role: Role) =>
    names
      .flatMap((name) => {
        const version = new RegExp(`^(\\d+)\\.${role}\\.json$`).exec(name)?.[1];
        return version === undefined ? [] : [Number(version)];
      })
      .sort((a, b) => b - a);

  const newestRoot = versions("root")[0];
  const timestamp = (await read(TimestampMetadata, "timestamp.json")) as TimestampMetadata | null;
  const lastSnapshot = versions("snapshot")[0] ?? 0;
  const lastTimestamp = timestamp?.signed.version ?? 0;
  const nothing = { targets: null, snapshot: null, timestamp: null, lastSnapshot, lastTimestamp };
  if (newestRoot === undefined) return { root: null, ...nothing };
  const root = (await read(RootMetadata, metadataName("root", newestRoot))) as RootMetadata | null;
  if (root === null) throw new Error(`${join(metadataDir, metadataName("root", newestRoot))} is damaged`);

  const good = <T extends Signed<unknown>>(role: Role, metadata: T | null): T | null =>
    metadata !== null && verifySigned(root, role, metadata).ok ? metadata : null;
  const readGoodTargets = async (version: number): Promise<TargetsMetadata | null> => {
    const text = await files.read(join(metadataDir, metadataName("targets", version)));
    const targets = readTargets(text === null ? null : readJson(text));
    return targets.ok ? good("targets", targets.value) : null;
  };

  const goodTimestamp = good("timestamp", timestamp);
  const pointed = goodTimestamp?.signed.meta["snapshot.json"].version;
  const snapshot =
    pointed === undefined
      ? null
      : good(
          "snapshot",
          (await read(SnapshotMetadata, metadataName("snapshot", pointed))) as SnapshotMetadata | null,
        );
  const published =
    snapshot === null ? null : await readGoodTargets(snapshot.signed.meta["targets.json"].version);
  if (published !== null) {
    return { root, targets: published, snapshot, timestamp: goodTimestamp, lastSnapshot, lastTimestamp };
  }
  // The chain is broken: go on from the newest targets that the publisher signed, to be signed for anew.
  for (const version of versions("targets")) {
    const targets = await readGoodTargets(version);
    if (targets !== null) return { root, ...nothing, targets };
  }
  return { root, ...nothing };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
