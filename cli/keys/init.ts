import type { OfflineRole } from "../../protocol/metadata.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import { createKey, type HeldKey, type Keyring, makeKeyDir, writeKeyring } from "./keyring.ts";

/** How many keys of each offline role to make, and how many of them must sign. */
export type KeyCounts = Readonly<Record<OfflineRole, { readonly keys: number; readonly threshold: number }>>;

export const ONE_KEY_EACH: KeyCounts = {
  root: { keys: 1, threshold: 1 },
  targets: { keys: 1, threshold: 1 },
};

/**
 * Makes the publisher's root and targets keys in a new directory. No root is signed yet: that needs the
 * coordinator's keys, and is what `signRequest` does. Errors: `keys-exist`, `bad-threshold`.
 */
export async function initKeys(
  dir: string,
  passphrase: string,
  counts: KeyCounts = ONE_KEY_EACH,
): Promise<Result<Keyring, Fault<"keys-exist" | "bad-threshold">>> {
  for (const role of ["root", "targets"] as const) {
    const { keys, threshold } = counts[role];
    if (threshold >= 1 && threshold <= keys && keys <= 16) continue;
    return err({
      code: "bad-threshold",
      message: `${threshold} of ${keys} ${role} keys cannot sign; no key was made.`,
      hint: "Choose at least one key, at most 16, and a threshold between one and their number.",
    });
  }
  const made = await makeKeyDir(dir);
  if (!made.ok) return made;
  const keys: HeldKey[] = [];
  for (const role of ["root", "targets"] as const) {
    for (let n = 0; n < counts[role].keys; n++)
      keys.push(withoutSigner(await createKey(dir, role, passphrase)));
  }
  const keyring: Keyring = {
    format: 1,
    rootThreshold: counts.root.threshold,
    targetsThreshold: counts.targets.threshold,
    keys,
  };
  await writeKeyring(dir, keyring);
  return ok(keyring);
}

const withoutSigner = ({ role, keyid, key, file }: HeldKey): HeldKey => ({ role, keyid, key, file });
