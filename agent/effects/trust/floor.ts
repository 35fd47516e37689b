/**
 * The versions of metadata that this node has seen, in a file of its own beside the cache: rollback protection that
 * survives a torn or lost cache.
 *
 * A version counts only while the role has the keys that it was seen under. New keys, in a root that follows the
 * trusted one, begin anew: that is how a publisher recovers from somebody who counted a version up to its end.
 * Source: TUF specification 1.0.31, 5.3.11 and 6.2 (fast-forward attacks).
 */
import type { RootSigned } from "../../../protocol/metadata.ts";
import { parseJson } from "../../../protocol/parse.ts";
import { type Static, Type } from "../../../protocol/schema.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import type { Disk } from "../disk.ts";
import { hasCode, writeDurably } from "../durable.ts";
import { found, TrustError } from "./fault.ts";

const Seen = Type.Object({
  version: Type.Integer({ minimum: 0 }),
  /** Ids of the keys that the root named for the role, sorted. */
  keys: Type.Array(Type.String()),
});

export const TrustFloor = Type.Object({
  format: Type.Literal(1),
  /** Fingerprint of the pinned root under which `root` was seen. */
  pin: Type.String(),
  root: Type.Integer({ minimum: 0 }),
  timestamp: Seen,
  snapshot: Seen,
  targets: Seen,
  /** Latest moment that a refresh proved, milliseconds since 1970. Never from this machine's clock alone. */
  lastSeen: Type.Integer({ minimum: 0 }),
});
export type TrustFloor = Static<typeof TrustFloor>;

type FlooredRole = "timestamp" | "snapshot" | "targets";

/** The floor on disk; null, with a note for the log, when it is missing or torn. */
export async function readFloor(
  disk: Disk,
  path: string,
): Promise<{ floor: TrustFloor | null; note: string | null }> {
  try {
    const parsed = parseJson(TrustFloor, await disk.readText(path), path);
    if (parsed.ok) return { floor: parsed.value, note: null };
    return { floor: null, note: `${parsed.error.message} Versions seen before are forgotten.` };
  } catch (cause) {
    if (hasCode(cause, "ENOENT")) return { floor: null, note: null };
    throw cause;
  }
}

export const writeFloor = (disk: Disk, path: string, floor: TrustFloor): Promise<void> =>
  writeDurably(disk, path, `${JSON.stringify(floor)}\n`, 0o600);

/** Throws `TrustError` with `rolled-back` when a root is older than the newest one seen under the same pin. */
export function requireRoot(floor: TrustFloor | null, pin: string, version: number): void {
  if (floor === null || floor.pin !== pin || version >= floor.root) return;
  throw rolledBack("root", version, floor.root);
}

/** Throws `TrustError` with `rolled-back` when a version is older than one seen under the same keys. */
export function requireVersion(
  floor: TrustFloor | null,
  root: RootSigned,
  role: FlooredRole,
  version: number,
): void {
  if (floor === null || version >= floor[role].version || !sameKeys(floor, root, role)) return;
  throw rolledBack(role, version, floor[role].version);
}

/** The floor after these versions were verified under this root. It falls only where the keys are new. */
export function raise(
  floor: TrustFloor | null,
  pin: string,
  root: RootSigned,
  seen: Readonly<Partial<Record<FlooredRole, number>>>,
  provenAt: EpochMs,
): TrustFloor {
  const risen = (role: FlooredRole) => {
    const before = floor !== null && sameKeys(floor, root, role) ? floor[role].version : 0;
    return { version: Math.max(before, seen[role] ?? 0), keys: keysOf(root, role) };
  };
  return {
    format: 1,
    pin,
    root: Math.max(root.version, floor?.pin === pin ? floor.root : 0),
    timestamp: risen("timestamp"),
    snapshot: risen("snapshot"),
    targets: risen("targets"),
    lastSeen: Math.max(floor?.lastSeen ?? 0, Math.floor(provenAt)),
  };
}

const keysOf = (root: RootSigned, role: FlooredRole): string[] => [...root.roles[role].keyids].sort();

/** New timestamp or snapshot keys begin both anew, as the specification has it. */
function sameKeys(floor: TrustFloor, root: RootSigned, role: FlooredRole): boolean {
  const roles: FlooredRole[] = role === "targets" ? ["targets"] : ["timestamp", "snapshot"];
  return roles.every((each) => floor[each].keys.join() === keysOf(root, each).join());
}

const rolledBack = (role: string, version: number, seen: number): TrustError =>
  new TrustError(
    found("rolled-back", `The ${role} metadata is version ${version}, and version ${seen} was seen before.`, {
      role,
      version,
      seen,
    }),
  );
