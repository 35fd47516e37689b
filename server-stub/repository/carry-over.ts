/**
 * What a repository that is being replaced knows and the one from a backup does not: roots and targets metadata that
 * the publisher signed later. Whoever signs decides what is newer; the signatures are checked, and nothing else of the
 * replaced repository is believed.
 */
import { join } from "node:path";
import { type RootMetadata, RootMetadata as RootSchema } from "../../protocol/metadata.ts";
import { parseJson } from "../../protocol/parse.ts";
import { metadataName } from "../../protocol/trust.ts";
import { verifyNextRoot, verifySigned } from "../../protocol/verify.ts";
import { readTargets } from "./check-targets.ts";
import { type RepositoryFiles, realFiles } from "./files.ts";
import { type RepositoryState, readState } from "./state.ts";

export type CarriedOver = {
  /** Versions that came over; 0 for none. */
  readonly root: number;
  readonly targets: number;
  /** The highest versions that either has signed: what comes next must be above. */
  readonly snapshot: number;
  readonly timestamp: number;
};

/**
 * Writes into `to` (a directory of metadata) what `from` has beyond it. When anything came over, snapshot and
 * timestamp of `to` are removed, since they lead to what is older now: sign anew, above the versions answered.
 */
export async function carryOver(
  from: string | null,
  to: string,
  files: RepositoryFiles = realFiles,
): Promise<CarriedOver> {
  const ours = await readState(files, to);
  const theirs = from === null ? null : await readIfSound(files, from);
  const highest = versionsOf(ours, theirs);
  if (from === null || theirs === null || ours.root === null) return { root: 0, targets: 0, ...highest };
  const root = await carryRoots(files, from, to, ours.root);
  const targets = await carryTargets(files, from, to, root, ours.targets?.signed.version ?? 0);
  const carried = {
    root: root.signed.version > ours.root.signed.version ? root.signed.version : 0,
    targets,
    ...highest,
  };
  if (carried.root > 0 || carried.targets > 0) await forgetOnline(files, to);
  return carried;
}

/** A repository that is damaged beyond reading has nothing to give. */
async function readIfSound(files: RepositoryFiles, dir: string): Promise<RepositoryState | null> {
  try {
    return await readState(files, dir);
  } catch {
    return null;
  }
}

const versionsOf = (ours: RepositoryState, theirs: RepositoryState | null) => ({
  snapshot: Math.max(ours.lastSnapshot, theirs?.lastSnapshot ?? 0),
  timestamp: Math.max(ours.lastTimestamp, theirs?.lastTimestamp ?? 0),
});

async function carryRoots(
  files: RepositoryFiles,
  from: string,
  to: string,
  first: RootMetadata,
): Promise<RootMetadata> {
  let last = first;
  for (;;) {
    const name = metadataName("root", last.signed.version + 1);
    const text = await files.read(join(from, name));
    const parsed = text === null ? null : parseJson(RootSchema, text, name);
    if (text === null || parsed?.ok !== true) return last;
    const next = parsed.value as RootMetadata;
    if (!verifyNextRoot(last, next).ok) return last;
    await files.write(join(to, name), text, 0o644);
    last = next;
  }
}

async function carryTargets(
  files: RepositoryFiles,
  from: string,
  to: string,
  root: RootMetadata,
  above: number,
): Promise<number> {
  const versions = (await files.list(from))
    .flatMap((name) => /^(\d+)\.targets\.json$/.exec(name)?.[1] ?? [])
    .map(Number)
    .filter((version) => version > above)
    .sort((a, b) => b - a);
  for (const version of versions) {
    const name = metadataName("targets", version);
    const text = await files.read(join(from, name));
    if (text === null) continue;
    const targets = readTargets(parsedOr(text));
    if (!targets.ok || targets.value.signed.version !== version) continue;
    if (!verifySigned(root, "targets", targets.value).ok) continue;
    await files.write(join(to, name), text, 0o644);
    return version;
  }
  return 0;
}

async function forgetOnline(files: RepositoryFiles, dir: string): Promise<void> {
  for (const name of await files.list(dir))
    if (name === "timestamp.json" || name.endsWith(".snapshot.json")) await files.remove(join(dir, name));
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
