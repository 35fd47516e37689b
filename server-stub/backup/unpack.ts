/** Reads a backup, and believes nothing of it: every member is one that the manifest names, with its length and hash. */
import { createHash, type Hash } from "node:crypto";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { createZstdDecompress } from "node:zlib";
import type { Refusal } from "../../protocol/bundle-faults.ts";
import { FaultError } from "../../protocol/result.ts";
import { TarReader } from "../../protocol/tar-reader.ts";
import { type BackupManifest, type BackupMember, MANIFEST, readManifest } from "./manifest.ts";

/** As much as a million members take. */
const MAX_MANIFEST_BYTES = 256 * 1024 * 1024;

/**
 * Writes the members to where `placeOf` says, each synced, and answers the manifest. What is there already is never
 * overwritten. Throws `FaultError` `backup-damaged` for whatever is no whole backup; the caller removes what came of
 * it.
 */
export async function unpackBackup(
  source: Readable,
  placeOf: (path: string) => string,
): Promise<BackupManifest> {
  const taking = new Taking(placeOf);
  try {
    for await (const told of tellTar(source)) await taking.take(told);
    return taking.finish();
  } catch (cause) {
    await taking.abandon();
    if (cause instanceof FaultError || isOfTheDisk(cause)) throw cause;
    throw damaged(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** What the archive says, in its order. */
type Told =
  | { readonly kind: "entry"; readonly path: string; readonly isFile: boolean }
  | { readonly kind: "data"; readonly chunk: Buffer }
  | { readonly kind: "end" };

async function* tellTar(source: Readable): AsyncGenerator<Told> {
  let told: Told[] = [];
  const reader = new TarReader({
    entry: ({ path, kind }) => {
      told.push({ kind: "entry", path, isFile: kind === "file" });
      return undefined;
    },
    data: (chunk) => void told.push({ kind: "data", chunk }),
    end: () => void told.push({ kind: "end" }),
  });
  const unpacked = source.pipe(createZstdDecompress());
  source.on("error", (error) => unpacked.destroy(error));
  try {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      const refusal = reader.push(chunk);
      if (refusal !== undefined) throw new Error(whyOf(refusal));
      yield* told;
      told = [];
    }
    const refusal = reader.finish();
    if (refusal !== undefined) throw new Error(whyOf(refusal));
  } finally {
    source.destroy();
    unpacked.destroy();
  }
}

/** The reader of archives speaks of bundles. */
const whyOf = (refusal: Refusal): string =>
  refusal.ok ? "" : refusal.error.message.replace(/^The bundle('s)?/, "the archive$1").replace(/\.$/, "");

/** One member after the other. */
class Taking {
  readonly #placeOf: (path: string) => string;
  readonly #missing = new Map<string, BackupMember>();
  #manifest: BackupManifest | null = null;
  /** The manifest, while it comes. */
  #text: Buffer[] | null = null;
  #textBytes = 0;
  #member: {
    readonly said: BackupMember;
    readonly file: FileHandle;
    readonly hash: Hash;
    bytes: number;
  } | null = null;

  constructor(placeOf: (path: string) => string) {
    this.#placeOf = placeOf;
  }

  async take(told: Told): Promise<void> {
    if (told.kind === "entry") return this.#begin(told.path, told.isFile);
    if (told.kind === "data") return this.#data(told.chunk);
    if (this.#text !== null) return this.#readManifest(this.#text);
    return this.#end();
  }

  finish(): BackupManifest {
    if (this.#manifest === null) throw damaged("it is empty");
    const [first] = this.#missing.keys();
    if (first !== undefined) throw damaged(`${first} is missing`);
    return this.#manifest;
  }

  async abandon(): Promise<void> {
    await this.#member?.file.close();
    this.#member = null;
  }

  async #begin(path: string, isFile: boolean): Promise<void> {
    if (this.#manifest === null) {
      if (path !== MANIFEST || !isFile || this.#text !== null)
        throw damaged("it does not begin with a manifest");
      this.#text = [];
      return;
    }
    const said = this.#missing.get(path);
    if (said === undefined || !isFile)
      throw damaged(`it holds ${JSON.stringify(path)}, which is not named in its manifest, or comes twice`);
    this.#missing.delete(path);
    const place = this.#placeOf(path);
    await mkdir(dirname(place), { recursive: true, mode: 0o700 });
    const isSecret = path.startsWith("keys/") || path.endsWith(".db");
    const file = await open(place, "wx", isSecret ? 0o600 : 0o644);
    this.#member = { said, file, hash: createHash("sha256"), bytes: 0 };
  }

  async #data(chunk: Buffer): Promise<void> {
    if (this.#text !== null) {
      this.#text.push(chunk);
      this.#textBytes += chunk.length;
      if (this.#textBytes > MAX_MANIFEST_BYTES) throw damaged("its manifest is endless");
      return;
    }
    const member = this.#member;
    if (member === null) throw damaged("it holds bytes that belong to nothing");
    member.bytes += chunk.length;
    if (member.bytes > member.said.bytes)
      throw damaged(`${member.said.path} is longer than its manifest says`);
    member.hash.update(chunk);
    await member.file.writeFile(chunk);
  }

  #readManifest(text: Buffer[]): void {
    this.#text = null;
    const manifest = readManifest(Buffer.concat(text).toString("utf8"));
    if (!manifest.ok) throw damaged(manifest.error.message.replace(/\.$/, ""));
    this.#manifest = manifest.value;
    for (const member of manifest.value.members) this.#missing.set(member.path, member);
  }

  async #end(): Promise<void> {
    const member = this.#member;
    if (member === null) return;
    this.#member = null;
    try {
      await member.file.sync();
    } finally {
      await member.file.close();
    }
    const { path, bytes, sha256 } = member.said;
    if (member.bytes !== bytes || member.hash.digest("hex") !== sha256)
      throw damaged(`${path} is not what its manifest says`);
  }
}

/** A full disk is not the backup's fault. */
const isOfTheDisk = (cause: unknown): boolean =>
  cause instanceof Error &&
  "code" in cause &&
  ["ENOSPC", "EACCES", "EROFS", "EEXIST", "EDQUOT", "EIO"].includes(String(cause.code));

export const damaged = (why: string, cause?: unknown): FaultError =>
  new FaultError(
    {
      code: "backup-damaged",
      message: `The backup cannot be used: ${why}.`,
      hint: "Nothing was changed. Take another backup; try one with: coordinator backup --verify FILE.",
    },
    { cause },
  );
