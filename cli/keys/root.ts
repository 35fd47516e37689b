/**
 * Root metadata as pure functions: the first root, and each next one. Nothing here reads or signs; the caller
 * signs with the keys of the old root and of the new one.
 * Source: TUF specification 1.0.31, 4.3 and 6.1.
 */
import {
  keyIdOf,
  type PublicKey,
  ROLES,
  type Role,
  type RootSigned,
  SPEC_VERSION,
  tufInstant,
} from "../../protocol/metadata.ts";
import type { EpochMs } from "../../protocol/time.ts";

/** The keys of a role, and how many of them must sign. */
export type RoleHolders = { readonly keys: readonly PublicKey[]; readonly threshold: number };

/** Version 1: it names the keys of all four roles. */
export function firstRoot(holders: Readonly<Record<Role, RoleHolders>>, expiresAt: EpochMs): RootSigned {
  return {
    _type: "root",
    spec_version: SPEC_VERSION,
    version: 1,
    expires: tufInstant(expiresAt),
    consistent_snapshot: true,
    ...named(holders),
  };
}

/** The version after `current`, with other keys for some roles, or with none changed: a renewal. */
export function nextRoot(
  current: RootSigned,
  changes: Readonly<Partial<Record<Role, RoleHolders>>>,
  expiresAt: EpochMs,
): RootSigned {
  const kept = (role: Role): RoleHolders => ({
    keys: current.roles[role].keyids.flatMap((keyid) => current.keys[keyid] ?? []),
    threshold: current.roles[role].threshold,
  });
  const holders = {
    root: changes.root ?? kept("root"),
    targets: changes.targets ?? kept("targets"),
    snapshot: changes.snapshot ?? kept("snapshot"),
    timestamp: changes.timestamp ?? kept("timestamp"),
  };
  return {
    ...current,
    version: current.version + 1,
    expires: tufInstant(expiresAt),
    ...named(holders),
  };
}

function named(holders: Readonly<Record<Role, RoleHolders>>): Pick<RootSigned, "keys" | "roles"> {
  const keys = ROLES.flatMap((role) => holders[role].keys.map((key) => [keyIdOf(key), key] as const));
  const role = ({ keys: held, threshold }: RoleHolders) => ({ keyids: held.map(keyIdOf), threshold });
  return {
    keys: Object.fromEntries(keys),
    roles: {
      root: role(holders.root),
      targets: role(holders.targets),
      snapshot: role(holders.snapshot),
      timestamp: role(holders.timestamp),
    },
  };
}
