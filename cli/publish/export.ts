/** Writing an offline kit from the key directory and the bundles: no coordinator and no passphrase needed. */
import { createReadStream, createWriteStream } from "node:fs";
import { readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Header } from "tar/header";
import { KIT_TARGETS, kitBundleName, kitRootName } from "../../protocol/kit.ts";
import { metadataText, RootMetadata, type TargetsMetadata } from "../../protocol/metadata.ts";
import { parseJson } from "../../protocol/parse.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import { metadataName, targetName } from "../../protocol/trust.ts";
import { verifyFirstRoot, verifyNextRoot, verifySigned } from "../../protocol/verify.ts";
import { readNamed } from "../keys/files.ts";
import { readLastTargets } from "../keys/keyring.ts";
import type { BundleFile } from "./bundle.ts";

export type KitWritten = { readonly file: string; readonly targetsVersion: number; readonly bundles: number };

type KitFault = Fault<"no-root" | "no-file" | "malformed" | "bad-signature" | "no-keys" | "not-published">;

/**
 * Writes `file`. The bundles must be published, byte for byte: the kit carries the signature made then, and none is
 * made now. Errors: `not-published`, `no-root`, and what reading the key directory can fail with.
 */
export async function exportKit(
  keysDir: string,
  bundles: readonly BundleFile[],
  file: string,
): Promise<Result<KitWritten, KitFault>> {
  const roots = await readRoots(keysDir);
  if (!roots.ok) return roots;
  const targets = await readLastTargets(keysDir);
  if (!targets.ok) return targets;
  const newest = roots.value.at(-1);
  const missing = bundles.find((bundle) => !isPublished(targets.value, bundle));
  if (newest === undefined || targets.value === null || missing !== undefined) {
    return err({
      code: "not-published",
      message: `${missing?.file ?? "Nothing"} has not been published from ${keysDir} as it is.`,
      hint: "Publish it first with `baton publish`; a kit carries that signature to where there is no network.",
    });
  }
  const signed = verifySigned(newest, "targets", targets.value);
  if (!signed.ok) return signed;
  const part = join(dirname(file), `.${basename(file)}.tmp`);
  try {
    await pipeline(Readable.from(blocks(roots.value, targets.value, bundles)), createWriteStream(part));
    await rename(part, file);
  } finally {
    await rm(part, { force: true });
  }
  return ok({ file, targetsVersion: targets.value.signed.version, bundles: bundles.length });
}

async function* blocks(
  roots: readonly RootMetadata[],
  targets: TargetsMetadata,
  bundles: readonly BundleFile[],
): AsyncGenerator<Buffer> {
  for (const root of roots) yield* small(kitRootName(root.signed.version), metadataText(root));
  yield* small(KIT_TARGETS, metadataText(targets));
  for (const { file, sha256, bytes } of bundles) {
    yield header(kitBundleName(sha256), bytes);
    for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 })) yield chunk as Buffer;
    yield padding(bytes);
  }
  yield Buffer.alloc(2 * BLOCK);
}

const BLOCK = 512;

function* small(path: string, text: string): Generator<Buffer> {
  const content = Buffer.from(text);
  yield header(path, content.length);
  yield content;
  yield padding(content.length);
}

function header(path: string, size: number): Buffer {
  const fields = { type: "File", path, size, mode: 0o644, mtime: new Date(1000), uid: 0, gid: 0 } as const;
  const made = new Header({ ...fields, uname: "", gname: "" });
  if (made.encode() || made.block === undefined) throw new Error(`${path} does not fit a header`);
  return made.block;
}

const padding = (bytes: number): Buffer => Buffer.alloc((BLOCK - (bytes % BLOCK)) % BLOCK);

/** The chain of roots from version 1 on, each following the one before. */
async function readRoots(dir: string): Promise<Result<RootMetadata[], KitFault>> {
  const names = new Set(await readdir(dir).catch(() => []));
  const roots: RootMetadata[] = [];
  for (let version = 1; names.has(metadataName("root", version)); version++) {
    const path = join(dir, metadataName("root", version));
    const text = await readNamed(path);
    if (!text.ok) return text;
    const root = parseJson(RootMetadata, text.value, path);
    if (!root.ok) return root;
    const last = roots.at(-1);
    const verified = last === undefined ? verifyFirstRoot(root.value) : verifyNextRoot(last, root.value);
    if (!verified.ok) return verified;
    roots.push(root.value);
  }
  if (roots.length > 0) return ok(roots);
  return err({
    code: "no-root",
    message: `There is no root in ${dir}, so a kit could not be verified by anybody.`,
    hint: "Name the key directory that releases are published from, with --keys.",
  });
}

function isPublished(targets: TargetsMetadata | null, { versionJson, bytes, sha256 }: BundleFile): boolean {
  const entry = targets?.signed.targets[targetName(versionJson, versionJson.platform)];
  return entry?.hashes.sha256 === sha256 && entry.length === bytes;
}
