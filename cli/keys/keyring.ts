/**
 * The publisher's key directory (0700):
 *
 *   keyring.json           public halves and thresholds; which file holds which key
 *   root-<id8>.pem         private keys, each encrypted by the passphrase (0600)
 *   targets-<id8>.pem
 *   <n>.root.json          every root that was signed here
 *   targets.json           the targets metadata that was signed here last
 *
 * Invariant: a key file is written before anything names it, and never overwritten.
 */
import { generateKeyPairSync } from "node:crypto";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Sha256 } from "../../protocol/build.ts";
import {
  keyIdOf,
  type OfflineRole,
  PublicKey,
  publicKeyOf,
  RootMetadata,
  type Signer,
  TargetsMetadata,
} from "../../protocol/metadata.ts";
import { parseJson } from "../../protocol/parse.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import { literals, type Static, Type } from "../../protocol/schema.ts";
import { metadataName } from "../../protocol/trust.ts";
import { writeDurably } from "./files.ts";
import { decryptPrivateKey, encryptPrivateKey } from "./pem.ts";

const Keyring = Type.Object(
  {
    format: Type.Literal(1),
    rootThreshold: Type.Integer({ minimum: 1 }),
    targetsThreshold: Type.Integer({ minimum: 1 }),
    keys: Type.Array(
      Type.Object(
        { role: literals(["root", "targets"]), keyid: Sha256, key: PublicKey, file: Type.String() },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false, title: "Keyring" },
);
export type Keyring = Static<typeof Keyring>;
export type HeldKey = Keyring["keys"][number];

/** Where the keys are: `--keys`, `BATON_KEYS`, or `baton-keys` in the current directory. */
export const keysDirOf = (
  env: Readonly<Record<string, string | undefined>>,
  given: string | undefined,
): string => given ?? env.BATON_KEYS ?? "baton-keys";

type ReadFault = Fault<"no-keys" | "malformed">;

/** Makes a key and writes its file. The keyring that names it is the caller's to write. */
export async function createKey(
  dir: string,
  role: OfflineRole,
  passphrase: string,
): Promise<HeldKey & { signer: Signer }> {
  const { privateKey } = generateKeyPairSync("ed25519");
  const key = publicKeyOf(privateKey);
  const keyid = keyIdOf(key);
  const file = `${role}-${keyid.slice(0, 8)}.pem`;
  await writeDurably(join(dir, file), encryptPrivateKey(privateKey, passphrase), 0o600);
  return { role, keyid, key, file, signer: { keyid, privateKey } };
}

/** Makes the directory of a new keyring. Error `keys-exist` when there is a keyring; nothing was changed. */
export async function makeKeyDir(dir: string): Promise<Result<void, Fault<"keys-exist">>> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  if (!(await readdir(dir)).includes("keyring.json")) return ok(undefined);
  return err({
    code: "keys-exist",
    message: `${dir} holds keys already, and they were left as they are.`,
    hint: "Name another directory, or use `baton keys rotate` to replace a key.",
    context: { dir },
  });
}

export const writeKeyring = (dir: string, keyring: Keyring): Promise<void> =>
  writeDurably(join(dir, "keyring.json"), `${JSON.stringify(keyring, null, 2)}\n`, 0o600);

export async function readKeyring(dir: string): Promise<Result<Keyring, ReadFault>> {
  const text = await readIfThere(join(dir, "keyring.json"));
  if (text !== null) return parseJson(Keyring, text, join(dir, "keyring.json"));
  return err({
    code: "no-keys",
    message: `There are no keys in ${dir}.`,
    hint: "Make them with `baton keys init DIR`, or name the right directory with --keys.",
    context: { dir },
  });
}

/** The newest root that was signed here; null before the ceremony. */
export async function readRoot(dir: string): Promise<Result<RootMetadata | null, ReadFault>> {
  const versions = (await readdir(dir)).flatMap((name) => {
    const version = /^(\d+)\.root\.json$/.exec(name)?.[1];
    return version === undefined ? [] : [Number(version)];
  });
  if (versions.length === 0) return ok(null);
  const file = join(dir, metadataName("root", Math.max(...versions)));
  return parseJson(RootMetadata, await readFile(file, "utf8"), file);
}

/** The targets metadata that was signed here last; null before the first. */
export async function readLastTargets(dir: string): Promise<Result<TargetsMetadata | null, ReadFault>> {
  const file = join(dir, "targets.json");
  const text = await readIfThere(file);
  if (text === null) return ok(null);
  const parsed = parseJson(TargetsMetadata, text, file);
  return parsed.ok ? ok(parsed.value as TargetsMetadata) : parsed;
}

/**
 * Opens those of the held keys that are among `keyids`. Errors: `wrong-passphrase`, `bad-key`, and `no-keys` when
 * fewer than `threshold` of them are here. Opening one is slow on purpose; those in `opened` are taken as they are.
 */
export async function openSigners(
  dir: string,
  keyring: Keyring,
  wanted: { readonly keyids: readonly string[]; readonly threshold: number },
  passphrase: string,
  opened: readonly Signer[] = [],
): Promise<Result<Signer[], Fault<"wrong-passphrase" | "bad-key" | "no-keys">>> {
  const held = keyring.keys.filter(({ keyid }) => wanted.keyids.includes(keyid));
  if (held.length < wanted.threshold) {
    return err({
      code: "no-keys",
      message: `${dir} holds ${held.length} of the ${wanted.threshold} keys that must sign.`,
      hint: "Nothing was signed. Use the directory that holds the current keys.",
      context: { dir },
    });
  }
  const signers: Signer[] = [];
  for (const { keyid, file } of held) {
    const known = opened.find((signer) => signer.keyid === keyid);
    if (known !== undefined) {
      signers.push(known);
      continue;
    }
    const path = join(dir, file);
    const key = decryptPrivateKey(await readFile(path, "utf8"), passphrase, path);
    if (!key.ok) return key;
    if (keyIdOf(publicKeyOf(key.value)) !== keyid) {
      return err({ code: "bad-key", message: `${path} holds another key than keyring.json says.` });
    }
    signers.push({ keyid, privateKey: key.value });
  }
  return ok(signers);
}

/** A file's text, or null where there is none. */
export async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return null;
    throw cause;
  }
}
