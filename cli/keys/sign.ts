/**
 * Every new version of the root is made here: the answer to a coordinator's request, the replacement of a key,
 * and the renewal. What comes out is a file for `coordinator trust`; agents follow the chain of roots by
 * themselves, since each is signed by the keys of the one before.
 *
 * Invariant: the keyring names a new key before a root does, so that a crash in between loses no key.
 */
import { join } from "node:path";
import { readKeyRequest, type TrustUpdate } from "../../protocol/ceremony.ts";
import {
  metadataText,
  type OfflineRole,
  type RootMetadata,
  type RootSigned,
  rootFingerprint,
  type Signed,
  type Signer,
  signMetadata,
  type TargetsSigned,
  tufInstant,
} from "../../protocol/metadata.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import type { DurationMs, EpochMs } from "../../protocol/time.ts";
import { LIFETIMES, metadataName } from "../../protocol/trust.ts";
import { writeDurably } from "./files.ts";
import {
  createKey,
  type HeldKey,
  type Keyring,
  openSigners,
  readKeyring,
  readLastTargets,
  readRoot,
  writeKeyring,
} from "./keyring.ts";
import { firstRoot, nextRoot, type RoleHolders } from "./root.ts";

/** Who signs, with what, and when. `lifetimes` in milliseconds; the defaults are those of `LIFETIMES`. */
export type Signing = {
  readonly dir: string;
  readonly passphrase: string;
  readonly now: EpochMs;
  readonly lifetimes?: { readonly root: DurationMs; readonly targets: DurationMs };
};

/** A root that was signed, and the file to install it from. */
export type SignedTrust = {
  readonly update: TrustUpdate;
  readonly fingerprint: string;
  readonly file: string;
};

type SignFault = Fault<
  "no-keys" | "malformed" | "bad-proof" | "wrong-passphrase" | "bad-key" | "incomplete-request" | "no-root"
>;
type SignResult = Promise<Result<SignedTrust, SignFault>>;

/**
 * Answers a coordinator's request. The first time it makes root version 1; later the next version, in which the
 * requested keys take the place of the old ones (a new coordinator, or rotated keys).
 */
export async function signRequest(signing: Signing, requestText: string): SignResult {
  const asked = readKeyRequest(requestText);
  if (!asked.ok) return asked;
  const opened = await open(signing);
  if (!opened.ok) return opened;
  const { keyring, root } = opened.value;
  const { snapshot, timestamp } = asked.value;
  if (root !== null) {
    return signNext(signing, keyring, root, {
      ...(snapshot && { snapshot: { keys: [snapshot], threshold: 1 } }),
      ...(timestamp && { timestamp: { keys: [timestamp], threshold: 1 } }),
    });
  }
  if (snapshot === undefined || timestamp === undefined) {
    return err({
      code: "incomplete-request",
      message: "The first root needs both a snapshot and a timestamp key, and the request names one only.",
      hint: "Use the request that `coordinator init` wrote.",
    });
  }
  const first = firstRoot(
    {
      root: held(keyring, "root"),
      targets: held(keyring, "targets"),
      snapshot: { keys: [snapshot], threshold: 1 },
      timestamp: { keys: [timestamp], threshold: 1 },
    },
    signing.now + lifetimesOf(signing).root,
  );
  const signers = await openSigners(signing.dir, keyring, first.roles.root, signing.passphrase);
  return signers.ok ? ok(await store(signing, first, signers.value)) : signers;
}

/**
 * Replaces every key of an offline role by new ones. For `targets` the metadata that was signed last is signed
 * again, by the old keys and the new, so that it verifies before the new root is installed and after.
 */
export async function rotateKeys(signing: Signing, role: OfflineRole): SignResult {
  const opened = await openCurrent(signing);
  if (!opened.ok) return opened;
  const { keyring, root } = opened.value;
  const { threshold, keyids } = root.signed.roles[role];
  const oldSigners = await openSigners(signing.dir, keyring, root.signed.roles[role], signing.passphrase);
  if (!oldSigners.ok) return oldSigners;
  const fresh: (HeldKey & { signer: Signer })[] = [];
  while (fresh.length < keyids.length) fresh.push(await createKey(signing.dir, role, signing.passphrase));
  const grown: Keyring = {
    ...keyring,
    keys: [...keyring.keys, ...fresh.map(({ keyid, key, file }) => ({ role, keyid, key, file }))],
  };
  await writeKeyring(signing.dir, grown);
  const holders = { keys: fresh.map(({ key }) => key), threshold };
  const both = [...oldSigners.value, ...fresh.map(({ signer }) => signer)];
  if (role === "root") return signNext(signing, grown, root, { root: holders }, { opened: both });
  const last = await readLastTargets(signing.dir);
  if (!last.ok) return last;
  const targets = last.value === null ? undefined : nextTargets(signing, last.value.signed, both);
  return signNext(signing, grown, root, { targets: holders }, { ...(targets && { targets }) });
}

/** Signs the root anew with the same keys, before it expires. */
export async function renewRoot(signing: Signing): SignResult {
  const opened = await openCurrent(signing);
  return opened.ok ? signNext(signing, opened.value.keyring, opened.value.root, {}) : opened;
}

async function signNext(
  signing: Signing,
  keyring: Keyring,
  root: RootMetadata,
  changes: Partial<Record<keyof RootSigned["roles"], RoleHolders>>,
  { opened = [], targets }: { opened?: readonly Signer[]; targets?: Signed<TargetsSigned> } = {},
): SignResult {
  const next = nextRoot(root.signed, changes, signing.now + lifetimesOf(signing).root);
  const { dir, passphrase } = signing;
  const byOld = await openSigners(dir, keyring, root.signed.roles.root, passphrase, opened);
  if (!byOld.ok) return byOld;
  const known = [...opened, ...byOld.value];
  const byNew = await openSigners(dir, keyring, next.roles.root, passphrase, known);
  if (!byNew.ok) return byNew;
  return ok(await store(signing, next, [...byOld.value, ...byNew.value], targets));
}

async function store(
  { dir }: Signing,
  signed: RootSigned,
  signers: readonly Signer[],
  targets?: Signed<TargetsSigned>,
): Promise<SignedTrust> {
  const root = signMetadata(signed, signers);
  const update: TrustUpdate = targets === undefined ? { root } : { root, targets };
  const rootFile = join(dir, metadataName("root", signed.version));
  const file = targets === undefined ? rootFile : join(dir, `${signed.version}.trust.json`);
  if (targets !== undefined) {
    await writeDurably(file, `${JSON.stringify(update)}\n`, 0o644);
    await writeDurably(join(dir, "targets.json"), metadataText(targets), 0o644);
  }
  await writeDurably(rootFile, metadataText(root), 0o644);
  return { update, fingerprint: rootFingerprint(root), file };
}

const nextTargets = (signing: Signing, last: TargetsSigned, signers: readonly Signer[]) =>
  signMetadata(
    {
      ...last,
      version: last.version + 1,
      expires: tufInstant(signing.now + lifetimesOf(signing).targets),
    },
    signers,
  );

async function open({ dir }: Signing) {
  const keyring = await readKeyring(dir);
  if (!keyring.ok) return keyring;
  const root = await readRoot(dir);
  return root.ok ? ok({ keyring: keyring.value, root: root.value }) : root;
}

async function openCurrent(
  signing: Signing,
): Promise<Result<{ keyring: Keyring; root: RootMetadata }, SignFault>> {
  const opened = await open(signing);
  if (!opened.ok) return opened;
  const { keyring, root } = opened.value;
  if (root !== null) return ok({ keyring, root });
  return err({
    code: "no-root",
    message: `No root has been signed in ${signing.dir} yet, and nothing was changed.`,
    hint: "Answer the coordinator's request first: `baton keys sign REQUEST`.",
  });
}

const held = (keyring: Keyring, role: OfflineRole): RoleHolders => ({
  keys: keyring.keys.filter((key) => key.role === role).map(({ key }) => key),
  threshold: role === "root" ? keyring.rootThreshold : keyring.targetsThreshold,
});

const lifetimesOf = (signing: Signing) => signing.lifetimes ?? LIFETIMES;
