/** Publishing: sign here, upload the bundles, then hand over the metadata that names them. */
import { createReadStream } from "node:fs";
import { join } from "node:path";
import {
  canonicalBytes,
  metadataText,
  signMetadata,
  type TargetsMetadata,
  type TargetsSigned,
} from "../../protocol/metadata.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import type { DurationMs, EpochMs } from "../../protocol/time.ts";
import { LIFETIMES, PUBLISH_PATH, Published, Uploaded, uploadPath } from "../../protocol/trust.ts";
import { writeDurably } from "../keys/files.ts";
import { openSigners, readKeyring, readLastTargets, readRoot } from "../keys/keyring.ts";
import type { BundleFile } from "./bundle.ts";
import { currentTargets, type PublishApi } from "./current.ts";
import { type NewRelease, nextTargets } from "./next-targets.ts";

export type PublishRequest = Omit<NewRelease, "bundles"> & {
  readonly keys: { readonly dir: string; readonly passphrase: string };
  readonly api: PublishApi;
  readonly bundles: readonly BundleFile[];
  readonly now: EpochMs;
  readonly lifetimeMs?: DurationMs;
  /**
   * The coordinator was restored from a backup and may lack what was published since, or bundles that it knows of: they
   * are uploaded and signed anew, also when nothing seems to have changed.
   */
  readonly afterRestore?: boolean;
  readonly progress?: (done: { file: string; bytes: number; ofBytes: number }) => void;
};

export type PublishDone = {
  readonly targetsVersion: number;
  readonly expires: string;
  /** False when all of it was published before, and nothing had to be done. */
  readonly changed: boolean;
};

/**
 * Publishes bundles of one version as a release; without bundles, signs what is published anew before it expires.
 * May be repeated: what is published already is left alone. Errors: those of the keys, of `currentTargets` and
 * `nextTargets`, and the API's, above all `targets-version-conflict` when somebody else published meanwhile.
 */
export async function publishRelease(request: PublishRequest): Promise<Result<PublishDone, Fault>> {
  const { keys, api, bundles, now, lifetimeMs = LIFETIMES.targets } = request;
  const keyring = await readKeyring(keys.dir);
  if (!keyring.ok) return keyring;
  const root = await readRoot(keys.dir);
  if (!root.ok) return root;
  if (root.value === null) return err(noRoot(keys.dir));
  const targetsKeys = root.value.signed.roles.targets;
  const signers = await openSigners(keys.dir, keyring.value, targetsKeys, keys.passphrase);
  if (!signers.ok) return signers;
  const last = await readLastTargets(keys.dir);
  if (!last.ok) return last;
  const current = await currentTargets(api, root.value, last.value, request.afterRestore);
  if (!current.ok) return current;

  const before = current.value?.signed ?? null;
  const next = nextTargets(before, request, now + lifetimeMs);
  if (!next.ok) return next;
  const isThere = before !== null && bundles.length > 0 && sameTargets(before, next.value);
  if (isThere && request.afterRestore !== true) {
    if (current.value !== null) await remember(keys.dir, current.value);
    return ok({ targetsVersion: before.version, expires: before.expires, changed: false });
  }
  // Above what was signed here: after a restore, what nodes have seen may be newer than what is there.
  const version = Math.max(next.value.version, (last.value?.signed.version ?? 0) + 1);
  const targets = signMetadata(
    { ...(isThere ? { ...next.value, targets: before.targets } : next.value), version },
    signers.value,
  );
  for (const bundle of bundles) {
    const uploaded = await upload(api, bundle, request.progress);
    if (!uploaded.ok) return uploaded;
  }
  const body = { targets, expectedTargetsVersion: before?.version ?? 0 };
  const published = await api.call({ method: "POST", path: PUBLISH_PATH, body, answer: Published });
  if (!published.ok) return published;
  await remember(keys.dir, targets);
  return ok({ targetsVersion: version, expires: next.value.expires, changed: true });
}

async function upload(
  api: PublishApi,
  { file, bytes, sha256 }: BundleFile,
  progress: PublishRequest["progress"],
): Promise<Result<unknown, Fault>> {
  let done = 0;
  async function* counted() {
    for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 })) {
      done += (chunk as Buffer).length;
      progress?.({ file, bytes: done, ofBytes: bytes });
      yield chunk as Buffer;
    }
  }
  return api.upload(uploadPath(sha256), counted(), bytes, Uploaded);
}

const remember = (dir: string, targets: TargetsMetadata): Promise<void> =>
  writeDurably(join(dir, "targets.json"), metadataText(targets), 0o644);

const sameTargets = (a: TargetsSigned, b: TargetsSigned): boolean =>
  canonicalBytes(a.targets).equals(canonicalBytes(b.targets));

const noRoot = (dir: string): Fault<"no-root"> => ({
  code: "no-root",
  message: `No root has been signed in ${dir} yet, so nothing can be published.`,
  hint: "Answer the coordinator's request first: `baton keys sign REQUEST`.",
});
