/** Installing roots without a moment in which an agent could not verify what is published. */
import type { TrustUpdate } from "../../protocol/ceremony.ts";
import {
  hasCanonicalForm,
  type RootMetadata,
  rootFingerprint,
  type TargetsMetadata,
} from "../../protocol/metadata.ts";
import { ok, type Result } from "../../protocol/result.ts";
import type { EpochMs } from "../../protocol/time.ts";
import { verifySigned } from "../../protocol/verify.ts";
import { placeBundles } from "./bundles.ts";
import { type ReleaseRefused, readTargets } from "./check-targets.ts";
import { foreignKeys, holdsKeysOf, newRoots, type RootRefused, rootRefused } from "./roots.ts";
import type { Shelf } from "./shelf.ts";

type Installed = Result<{ version: number; fingerprint: string }, RootRefused | ReleaseRefused>;

/** See `Repository.installTrust`. */
export async function installTrust(
  shelf: Shelf,
  updates: readonly TrustUpdate[],
  now: EpochMs,
): Promise<Installed> {
  await shelf.reload();
  if (!hasCanonicalForm(updates)) return rootRefused("What is to be installed holds what no key can sign.");
  const roots = newRoots(shelf.state.root, updates);
  if (!roots.ok) return roots;
  const root = roots.value.at(-1) ?? shelf.state.root;
  if (root === null) return rootRefused("There is no root to install.");
  if (!holdsKeysOf(shelf.keys, root)) return rootRefused(...foreignKeys(root.signed.version));
  const given = updates.at(-1)?.targets ?? null;
  const published = shelf.state.targets;
  const news = given !== null && given.signed.version > (published?.signed.version ?? 0) ? given : null;
  if (roots.value.length > 0 || news !== null) {
    const checked = await check(shelf, root, news ?? published);
    if (!checked.ok) return checked;
    await install(shelf, roots.value, root, news, now);
  }
  return ok({ version: root.signed.version, fingerprint: rootFingerprint(root) });
}

async function check(
  shelf: Shelf,
  root: RootMetadata,
  targets: TargetsMetadata | null,
): Promise<Result<void, RootRefused | ReleaseRefused>> {
  if (targets === null) return ok(undefined);
  const read = readTargets(targets);
  if (!read.ok) return read;
  if (!verifySigned(root, "targets", targets).ok) {
    return rootRefused(
      `What is published would not verify under root version ${root.signed.version}: its targets keys are others.`,
      "Install the file that `baton keys rotate targets` wrote, which holds the targets signed anew.",
    );
  }
  return placeBundles(shelf.files, shelf.dir, targets, shelf.state.targets);
}

async function install(
  shelf: Shelf,
  roots: readonly RootMetadata[],
  root: RootMetadata,
  news: TargetsMetadata | null,
  now: EpochMs,
): Promise<void> {
  const { root: old, targets: published } = shelf.state;
  const targets = news ?? published;
  const sign = async () => {
    if (targets === null) return;
    if (news !== null) await shelf.writeTargets(news);
    await shelf.signFor(targets, old === null ? [root] : [old, root], now);
  };
  // Signed by the keys of both roots, what agents read verifies before the new root appears and after it. Only
  // where the old root cannot be satisfied any more (lost keys) does the root have to come first.
  const bridged =
    old !== null &&
    holdsKeysOf(shelf.keys, old) &&
    (targets === null || verifySigned(old, "targets", targets).ok);
  if (bridged) await sign();
  for (const each of roots) await shelf.writeRoot(each);
  if (!bridged) await sign();
}
