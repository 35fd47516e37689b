/**
 * Verifying an offline kit: the chain of roots from what this node trusts, the publisher's signature over the
 * targets, and the bundle's length and hash. What only a coordinator could say (that this is the newest) is not
 * asked; that it is not older than what this node has seen is.
 *
 * The kit is read twice: its metadata first, then the one bundle that this node needs. Nothing else of it is kept.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { rcompare } from "semver";
import type { Platform } from "../../../protocol/build.ts";
import { readKitName } from "../../../protocol/kit.ts";
import { err, type Fault, ok, type Result } from "../../../protocol/result.ts";
import { TarReader } from "../../../protocol/tar-reader.ts";
import { MAX_METADATA_BYTES } from "../../../protocol/trust.ts";
import type { Disk } from "../disk.ts";
import { hasCode, makeDirDurably } from "../durable.ts";
import { fileChunks } from "../unpack.ts";
import { rootOf } from "./core.ts";
import { faultOf, found, TrustError, type TrustFault } from "./fault.ts";
import { raise, requireRoot, requireVersion } from "./floor.ts";
import { keep, openTrust, type TrustPlace, type TrustStart } from "./refresh.ts";
import { bundlesIn, type SignedBundle } from "./releases.ts";
import { sameOnlineKeys } from "./workflow.ts";

export type KitFault =
  | TrustFault
  | Fault<"bad-kit" | "no-build-for-platform" | "hash-mismatch" | "length-mismatch" | "disk-full">;

export type OpenedKit = {
  readonly bundle: SignedBundle;
  /** The bundle's file, verified, in the download directory. The caller removes it (`removeDownload`). */
  readonly path: string;
};

/**
 * Verifies a kit and takes this platform's bundle out of it; of several versions, the newest. On a failure nothing
 * of it remains. Errors: `KitFault`.
 */
export async function openKit(
  place: TrustPlace,
  kit: { readonly file: string; readonly platform: Platform; readonly downloadDir: string },
): Promise<Result<OpenedKit, KitFault>> {
  const { disk } = place;
  const contents = await readMetadata(disk, kit.file);
  if (!contents.ok) return contents;
  const start = await openTrust(place);
  if (!start.ok) return start;
  const verified = await verify(start.value, contents.value);
  if (!verified.ok) return verified;
  const { bundles, newRoot, targetsVersion } = verified.value;
  const bundle = bundles
    .filter(({ custom, sha256 }) => custom.platform === kit.platform && contents.value.bundles.has(sha256))
    .sort((a, b) => rcompare(a.custom.version, b.custom.version))[0];
  if (bundle === undefined) {
    return err({
      code: "no-build-for-platform",
      message: `The kit ${kit.file} has no signed bundle for ${kit.platform}.`,
      hint: "Export one that has, with `baton export`.",
    });
  }
  const taken = await takeOut(disk, kit, bundle);
  if (!taken.ok) return taken;
  const { core, floor, pin, set, before } = { ...start.value, before: verified.value.before };
  const kept = sameOnlineKeys(before, rootOf(core)) ? set : { ...set, timestamp: null, snapshot: null };
  const floorNow = raise(floor, pin, rootOf(core), { targets: targetsVersion }, 0);
  await keep(place, start.value, { ...kept, root: newRoot ?? set.root }, floorNow);
  return ok({ bundle, path: taken.value });
}

type KitContents = {
  readonly roots: readonly { readonly version: number; readonly bytes: Buffer }[];
  readonly targets: Buffer;
  readonly bundles: ReadonlySet<string>;
};

/** Goes through the whole kit once, and keeps its metadata. */
async function readMetadata(disk: Disk, file: string): Promise<Result<KitContents, KitFault>> {
  const roots: { version: number; bytes: Buffer }[] = [];
  const bundles = new Set<string>();
  let targets: Buffer | null = null;
  let current: Buffer[] | null = null;
  let entry: ReturnType<typeof readKitName> = null;
  let amiss: string | null = null;
  const reader = new TarReader({
    entry: ({ kind, path, bytes }) => {
      entry = kind === "file" ? readKitName(path) : null;
      if (entry === null)
        amiss ??= `it holds ${JSON.stringify(path.slice(0, 200))}, which does not belong in one`;
      else if (entry.kind === "bundle") bundles.add(entry.sha256);
      else if (bytes > MAX_METADATA_BYTES[entry.kind]) amiss ??= `its ${path} is larger than metadata may be`;
      else if (bundles.size > 0 || roots.length > 1024) amiss ??= "its metadata is not where it should be";
      current = entry !== null && entry.kind !== "bundle" && amiss === null ? [] : null;
      return undefined;
    },
    data: (chunk) => {
      current?.push(Buffer.from(chunk));
    },
    end: () => {
      const bytes = Buffer.concat(current ?? []);
      if (entry?.kind === "root") roots.push({ version: entry.version, bytes });
      if (entry?.kind === "targets") targets = bytes;
    },
  });
  try {
    for await (const chunk of fileChunks(disk, file)) {
      const refused = reader.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
      if (refused !== undefined) return badKit(file, "it is not a whole tar archive");
      if (amiss !== null) return badKit(file, amiss);
    }
  } catch (cause) {
    if (hasCode(cause, "ENOENT") || hasCode(cause, "EISDIR") || hasCode(cause, "EACCES")) {
      return badKit(file, "it cannot be read");
    }
    throw cause;
  }
  if (reader.finish() !== undefined) return badKit(file, "it is not a whole tar archive");
  if (targets === null) return badKit(file, "it has no targets metadata");
  return ok({ roots, targets, bundles });
}

async function verify(start: TrustStart, kit: KitContents) {
  const { core, floor, pin, reference } = start;
  const { Metadata, MetadataKind } = await import("@tufjs/models");
  const before = rootOf(core);
  let role: "root" | "targets" = "root";
  let newRoot: Buffer | null = null;
  try {
    for (const { version, bytes } of [...kit.roots].sort((a, b) => a.version - b.version)) {
      if (version <= core.root.signed.version) continue;
      core.updateRoot(bytes);
      newRoot = bytes;
    }
    requireRoot(floor, pin, core.root.signed.version);
    const at = new Date(reference);
    if (core.root.signed.isExpired(at)) throw expired("root", core.root.signed.expires);
    role = "targets";
    const targets = Metadata.fromJSON(MetadataKind.Targets, JSON.parse(kit.targets.toString()));
    core.root.verifyDelegate("targets", targets);
    if (targets.signed.isExpired(at)) throw expired("targets", targets.signed.expires);
    requireVersion(floor, rootOf(core), "targets", targets.signed.version);
    return ok({
      bundles: bundlesIn(targets.signed),
      newRoot,
      before,
      targetsVersion: targets.signed.version,
    });
  } catch (cause) {
    return err(await faultOf(role, cause));
  }
}

/** The second reading: one bundle, counted and hashed on its way to the download directory. */
async function takeOut(
  disk: Disk,
  { file, downloadDir }: { file: string; downloadDir: string },
  bundle: SignedBundle,
): Promise<Result<string, KitFault>> {
  await makeDirDurably(disk, downloadDir, 0o700);
  const path = join(downloadDir, `${bundle.sha256}.part`);
  await disk.rm(path);
  const hash = createHash("sha256");
  let bytes = 0;
  let inside = false;
  let pieces: Buffer[] = [];
  const reader = new TarReader({
    entry: ({ path: name }) => {
      const entry = readKitName(name);
      inside = entry?.kind === "bundle" && entry.sha256 === bundle.sha256;
      return undefined;
    },
    data: (chunk) => {
      if (inside) pieces.push(chunk);
    },
    end: () => {
      inside = false;
    },
  });
  try {
    const out = await disk.open(path, "create", 0o600);
    try {
      for await (const chunk of fileChunks(disk, file)) {
        pieces = [];
        if (reader.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)) !== undefined) break;
        for (const piece of pieces) {
          bytes += piece.length;
          if (bytes > bundle.bytes) break;
          hash.update(piece);
          await out.write(piece);
        }
      }
    } finally {
      await out.close();
    }
  } catch (cause) {
    await disk.rm(path);
    if (!hasCode(cause, "ENOSPC") && !hasCode(cause, "EDQUOT")) throw cause;
    return err({
      code: "disk-full",
      message:
        "The disk was full before the bundle was taken out of the kit; what there was of it was removed.",
      hint: "Free some space, and install it again.",
      context: { directory: downloadDir },
    });
  }
  const got = hash.digest("hex");
  if (bytes === bundle.bytes && got === bundle.sha256) return ok(path);
  await disk.rm(path);
  return err({
    code: bytes === bundle.bytes ? "hash-mismatch" : "length-mismatch",
    message: `The bundle in ${file} is not the one that is signed: ${bytes} bytes with SHA-256 ${got}.`,
    hint: "Nothing was installed. Copy the kit again.",
    context: { file, bytes, got },
  });
}

const expired = (role: string, when: string): TrustError =>
  new TrustError(found("expired", `The kit's ${role} metadata expired on ${when}.`, { role }));

const badKit = (file: string, why: string): Result<never, KitFault> =>
  err({
    code: "bad-kit",
    message: `${file} is no kit that can be used: ${why}.`,
    hint: "Nothing was installed. Make it with `baton export`, and copy it whole.",
    context: { file },
  });
