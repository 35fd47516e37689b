/**
 * The client workflow over the trust core: from what is trusted to what is newest, or to the first thing that does
 * not verify. It reads by `fetch` and writes nothing.
 *
 * Rules:
 * - Root first, version by version, each signed by the one before and by itself (5.3).
 * - Timestamp, snapshot, targets, in this order; what is cached is loaded first, as protection against rollback,
 *   and what is fetched must not be older (5.4 to 5.6).
 * - Cached timestamp and snapshot are dropped when a new root gives either of them other keys (5.3.11).
 * - The separate floor is checked at each step, so that a lost cache makes nobody younger.
 * Source: TUF specification 1.0.31, section 5.
 */
import type { OnlineRole, Role, RootSigned } from "../../../protocol/metadata.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import type { MetadataSet } from "./cache.ts";
import { attempt, rootOf, type TrustCore } from "./core.ts";
import { faultOf, found, TrustError, type TrustFault } from "./fault.ts";
import { requireRoot, requireVersion, type TrustFloor } from "./floor.ts";

/** Gets a file by its name in the repository; null when there is none. Throws `TrustError`. */
export type GetMetadata = (role: Role, name: string, maxBytes?: number) => Promise<Buffer | null>;

export type Workflow = {
  readonly core: TrustCore;
  /** Fingerprint of the root that the node was given. */
  readonly pin: string;
  /** The root that the core starts from, and what is cached beside it. */
  readonly cached: MetadataSet;
  readonly floor: TrustFloor | null;
  readonly get: GetMetadata;
};

/** A failure keeps the roots that verified before it, so that a key that was revoked stays revoked. */
export type Outcome =
  | { readonly ok: true; readonly set: MetadataSet; readonly signedAt: EpochMs | null }
  | { readonly ok: false; readonly fault: TrustFault; readonly set: MetadataSet };

/** Most roots followed in one refresh. */
const MAX_ROOTS = 256;

export async function runWorkflow(work: Workflow): Promise<Outcome> {
  const { core } = work;
  const before = rootOf(core);
  let set = work.cached;
  let role: Role = "root";
  try {
    await followRoots(work, (bytes) => {
      const kept = sameOnlineKeys(before, rootOf(core)) ? set : { ...set, timestamp: null, snapshot: null };
      set = { ...kept, root: bytes };
    });
    requireRoot(work.floor, work.pin, core.root.signed.version);
    role = "timestamp";
    const timestamp = await loadTimestamp(work, set.timestamp);
    role = "snapshot";
    const snapshot = await loadSnapshot(work, set.snapshot);
    role = "targets";
    const targets = await loadTargets(work);
    return { ok: true, set: { root: set.root, timestamp, snapshot, targets }, signedAt: signedAtOf(core) };
  } catch (cause) {
    return { ok: false, fault: await faultOf(role, cause), set };
  }
}

/** Section 5.3: version by version, until there is none newer. */
async function followRoots({ core, get }: Workflow, followed: (root: Buffer) => void): Promise<void> {
  for (let count = 0; count < MAX_ROOTS; count++) {
    const bytes = await get("root", `${core.root.signed.version + 1}.root.json`);
    if (bytes === null) return;
    core.updateRoot(bytes);
    followed(bytes);
  }
}

/** Section 5.4. */
async function loadTimestamp(work: Workflow, cached: Buffer | null): Promise<Buffer> {
  const { core, get, floor } = work;
  if (cached !== null) attempt(() => core.updateTimestamp(cached));
  const fetched = need("timestamp", "timestamp.json", await get("timestamp", "timestamp.json"));
  const kept = core.timestamp;
  try {
    core.updateTimestamp(fetched);
  } catch (cause) {
    if (!(await isEqualVersion(cause)) || cached === null) throw cause;
  }
  const { version, snapshotMeta } = trusted(core.timestamp).signed;
  requireVersion(floor, rootOf(core), "timestamp", version);
  requireVersion(floor, rootOf(core), "snapshot", snapshotMeta.version);
  return core.timestamp === kept && cached !== null ? cached : fetched;
}

/** Section 5.5. */
async function loadSnapshot(work: Workflow, cached: Buffer | null): Promise<Buffer> {
  const { core, get, floor } = work;
  const { version, length } = trusted(core.timestamp).signed.snapshotMeta;
  let bytes = cached;
  // Torn, expired or under keys that were replaced: then it is fetched anew.
  if (bytes === null || attempt(() => core.updateSnapshot(bytes as Buffer, true)) === null) {
    const name = `${version}.snapshot.json`;
    bytes = need("snapshot", name, await get("snapshot", name, length));
    core.updateSnapshot(bytes);
  }
  const targetsMeta = trusted(core.snapshot).signed.meta["targets.json"];
  if (targetsMeta === undefined)
    throw new TrustError(found("mix-and-match", "The snapshot names no targets."));
  requireVersion(floor, rootOf(core), "targets", targetsMeta.version);
  return bytes;
}

/** Section 5.6, for the top-level targets; Baton does not delegate. */
async function loadTargets({ core, cached, get }: Workflow): Promise<Buffer> {
  const local = cached.targets;
  if (local !== null) {
    attempt(() => core.updateDelegatedTargets(local, "targets", "root"));
    if (core.targets !== undefined) return local;
  }
  const meta = trusted(core.snapshot).signed.meta["targets.json"];
  const name = `${meta?.version}.targets.json`;
  const bytes = need("targets", name, await get("targets", name, meta?.length));
  core.updateDelegatedTargets(bytes, "targets", "root");
  return bytes;
}

const isEqualVersion = async (cause: unknown): Promise<boolean> =>
  cause instanceof (await import("tuf-js/dist/error.js")).EqualVersionError;

function need(role: Role, name: string, bytes: Buffer | null): Buffer {
  if (bytes !== null) return bytes;
  const message =
    role === "timestamp"
      ? "The coordinator has no timestamp.json: nothing has been published yet, or its repository is damaged."
      : `The coordinator has no ${name}, which its other metadata names.`;
  throw new TrustError(found("missing-metadata", message, { name }));
}

function trusted<T>(metadata: T | undefined): T {
  if (metadata === undefined) throw new Error("read before it was verified");
  return metadata;
}

/** Whether two roots leave timestamp and snapshot to the same keys. */
export function sameOnlineKeys(a: RootSigned, b: RootSigned): boolean {
  const keys = (root: RootSigned, role: OnlineRole) => [...root.roles[role].keyids].sort().join();
  return (["timestamp", "snapshot"] as const).every((role) => keys(a, role) === keys(b, role));
}

/** When the coordinator signed the timestamp, by its own word. */
function signedAtOf(core: TrustCore): EpochMs | null {
  const { signed_at: signedAt } = trusted(core.timestamp).signed.unrecognizedFields;
  const at = typeof signedAt === "string" ? Date.parse(signedAt) : Number.NaN;
  return Number.isNaN(at) ? null : at;
}
