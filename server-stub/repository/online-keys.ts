/**
 * The snapshot and timestamp keys, the only ones that the coordinator holds: plain PKCS#8 files, 0600, called
 * `<role>-<keyid>.pem`. Which of them count is decided by the root that names them, so that new keys can lie
 * here beside the old ones until a root says so.
 */
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type KeyRequest, requestKeys } from "../../protocol/ceremony.ts";
import { ONLINE_ROLES, type OnlineRole, type Signer, signerOf } from "../../protocol/metadata.ts";
import { type RepositoryFiles, realFiles } from "./files.ts";

export type OnlineKeys = Readonly<Record<OnlineRole, readonly Signer[]>>;

/** Every key in the directory. Throws on a file that is no private key: a damaged state directory. */
export async function readOnlineKeys(dir: string, files: RepositoryFiles = realFiles): Promise<OnlineKeys> {
  const keys: Record<OnlineRole, Signer[]> = { snapshot: [], timestamp: [] };
  for (const name of await files.list(dir)) {
    const role = /^(snapshot|timestamp)-[0-9a-f]{64}\.pem$/.exec(name)?.[1];
    if (role !== "snapshot" && role !== "timestamp") continue;
    const pem = await files.read(join(dir, name));
    if (pem === null) continue;
    try {
      keys[role].push(signerOf(createPrivateKey(pem)));
    } catch (cause) {
      throw new Error(`${join(dir, name)} is not a private key`, { cause });
    }
  }
  return keys;
}

/**
 * Makes new keys for the roles and asks for them to be named. They are on disk before the request is returned,
 * and they sign nothing until a root names them.
 */
export async function createOnlineKeys(
  dir: string,
  roles: readonly OnlineRole[] = ONLINE_ROLES,
  files: RepositoryFiles = realFiles,
): Promise<KeyRequest> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const made: Partial<Record<OnlineRole, Signer>> = {};
  for (const role of roles) {
    const signer = signerOf(generateKeyPairSync("ed25519").privateKey);
    const pem = signer.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    await files.write(join(dir, `${role}-${signer.keyid}.pem`), pem, 0o600);
    made[role] = signer;
  }
  return requestKeys(made);
}

/**
 * The request for the first ceremony. May be called again: while the keys exist, it asks for the same ones.
 */
export async function firstKeyRequest(dir: string, files: RepositoryFiles = realFiles): Promise<KeyRequest> {
  const [snapshot, timestamp] = await readOnlineKeys(dir, files).then((held) => [
    held.snapshot.at(-1),
    held.timestamp.at(-1),
  ]);
  if (snapshot !== undefined && timestamp !== undefined) return requestKeys({ snapshot, timestamp });
  return createOnlineKeys(dir, ONLINE_ROLES, files);
}

/** Of the keys held, those that one of the roots names for the role. */
export const namedKeys = (
  held: readonly Signer[],
  roots: readonly { readonly keyids: readonly string[] }[],
): Signer[] => held.filter(({ keyid }) => roots.some(({ keyids }) => keyids.includes(keyid)));
