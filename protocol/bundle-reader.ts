import { createHash, type Hash } from "node:crypto";
import { Readable } from "node:stream";
import { constants, createZstdDecompress } from "node:zlib";
import { parseVersionJson, type VersionJson } from "./build.ts";
import { buildHash, type FileMode, type TreeEntry, VERSION_JSON } from "./build-hash.ts";
import { type BundleFault, bundleFault, type Refusal } from "./bundle-faults.ts";
import {
  type AdmittedEntry,
  type ArchiveEntry,
  BundleJudge,
  type BundleLimits,
  DEFAULT_BUNDLE_LIMITS,
  judgeWhole,
  MAX_VERSION_JSON_BYTES,
  RATIO_FLOOR_BYTES,
} from "./bundle-rules.ts";
import { err, ok, type Result } from "./result.ts";
import { TarReader } from "./tar-reader.ts";

/**
 * Where the entries of a bundle go, in its order, each only after the rules admitted it. The calls return at once;
 * what they start is waited for by `ready`.
 */
export type BundleSink = {
  directory(path: string): void;
  link(path: string, target: string): void;
  file(path: string, mode: FileMode, bytes: number): FileSink;
  /** Resolves when more may come. Rejects when something could not be written. */
  ready(): Promise<void>;
};

/** The content of one file, in order, until `end`. The chunks are the sink's to keep. */
export type FileSink = { write(chunk: Uint8Array): void; end(): void };

/** Looks at a bundle and keeps nothing. */
export const NO_SINK: BundleSink = {
  directory: () => undefined,
  link: () => undefined,
  file: () => ({ write: () => undefined, end: () => undefined }),
  ready: () => Promise.resolve(),
};

/** What a bundle that obeys every rule holds; its `buildHash` was computed, and is what its `version.json` says. */
export type ReadBundle = {
  readonly versionJson: VersionJson;
  readonly entries: readonly TreeEntry[];
  /** All files together. */
  readonly bytes: number;
};

/**
 * Reads a bundle once, from its packed bytes: judges every entry before a byte of it goes to the sink, and computes
 * the build hash on the way. Stops at the first violation, with what was told to the sink until then.
 *
 * Rejects only when the source or the sink does.
 */
export async function readBundle(
  source: AsyncIterable<Uint8Array>,
  sink: BundleSink,
  limits: BundleLimits = DEFAULT_BUNDLE_LIMITS,
): Promise<Result<ReadBundle, BundleFault>> {
  const contents = new Contents(sink, limits);
  const tar = new TarReader(contents);
  const refusal = await unzip(source, limits, async (block) => {
    const refused = tar.push(block);
    if (refused === undefined) await sink.ready();
    return refused;
  });
  return refusal ?? tar.finish() ?? contents.finish();
}

/** Decompresses, block by block, and watches that what comes out stays in proportion to what went in. */
async function unzip(
  source: AsyncIterable<Uint8Array>,
  limits: BundleLimits,
  take: (block: Buffer) => Promise<Refusal | undefined>,
): Promise<Refusal | undefined> {
  let packed = 0;
  let unpacked = 0;
  let sourceError: { cause: unknown } | undefined;
  async function* counted() {
    try {
      for await (const chunk of source) {
        packed += chunk.length;
        yield chunk;
      }
    } catch (cause) {
      sourceError = { cause };
      throw cause;
    }
  }
  const zstd = createZstdDecompress(UNZIP);
  const input = Readable.from(counted(), { objectMode: false });
  input.on("error", (cause) => zstd.destroy(cause));
  try {
    for await (const block of input.pipe(zstd)) {
      unpacked += block.length;
      if (unpacked > RATIO_FLOOR_BYTES && unpacked > packed * limits.maxRatio) {
        return bundleFault("bundle-ratio", `unpacks to more than ${limits.maxRatio} times its size`);
      }
      const refused = await take(block);
      if (refused !== undefined) return refused;
    }
  } catch (cause) {
    if (sourceError !== undefined) throw sourceError.cause;
    if (!isZstdError(cause)) throw cause;
    return bundleFault("bundle-corrupt", `cannot be decompressed (${cause.message})`);
  } finally {
    input.destroy();
    zstd.destroy();
  }
  return zstd.bytesWritten === packed
    ? undefined
    : bundleFault("bundle-trailing", "is followed by something that is not part of it");
}

/** 8 MiB: as much as the packer uses, and all the memory that an archive can make the reader take. */
export const MAX_WINDOW_LOG = 23;

/** Options of a stream too: it goes on by itself while what came out is hashed. */
const UNZIP = {
  chunkSize: 256 * 1024,
  readableHighWaterMark: 2 * 1024 ** 2,
  params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG },
};

const isZstdError = (cause: unknown): cause is Error =>
  cause instanceof Error &&
  "code" in cause &&
  typeof cause.code === "string" &&
  /^(ZSTD_|Z_)/.test(cause.code);

/** Follows the entries: judges, passes on, hashes. */
class Contents {
  readonly #sink: BundleSink;
  readonly #judge: BundleJudge;
  readonly #entries: TreeEntry[] = [];
  #bytes = 0;
  #versionJson = "";
  #open: { entry: AdmittedEntry & { kind: "file" }; hash: Hash; sink: FileSink } | undefined;

  constructor(sink: BundleSink, limits: BundleLimits) {
    this.#sink = sink;
    this.#judge = new BundleJudge(limits);
  }

  entry(claimed: ArchiveEntry): Refusal | undefined {
    const judged = this.#judge.admit(claimed);
    if (!judged.ok) return judged;
    const entry = judged.value;
    switch (entry.kind) {
      case "directory":
        this.#entries.push(entry);
        this.#sink.directory(entry.path);
        return undefined;
      case "link":
        this.#entries.push(entry);
        this.#sink.link(entry.path, entry.target);
        return undefined;
      case "file":
        if (entry.path === VERSION_JSON && entry.bytes > MAX_VERSION_JSON_BYTES) {
          return bundleFault("bundle-version-json", "is too large", entry.path);
        }
        this.#bytes += entry.bytes;
        this.#open = {
          entry,
          hash: createHash("sha256"),
          sink: this.#sink.file(entry.path, entry.mode, entry.bytes),
        };
        return undefined;
    }
  }

  data(chunk: Buffer): void {
    if (this.#open === undefined) return;
    if (this.#open.entry.path === VERSION_JSON) this.#versionJson += chunk.toString("latin1");
    else this.#open.hash.update(chunk);
    this.#open.sink.write(chunk);
  }

  end(): void {
    if (this.#open === undefined) return;
    const { entry, hash, sink } = this.#open;
    this.#entries.push({ ...entry, sha256: hash.digest("hex") });
    sink.end();
    this.#open = undefined;
  }

  finish(): Result<ReadBundle, BundleFault> {
    const text = Buffer.from(this.#versionJson, "latin1").toString("utf8");
    if (this.#judge.at(VERSION_JSON) === undefined) {
      return bundleFault("bundle-version-json", `has no ${VERSION_JSON}`);
    }
    const parsed = parseVersionJson(text);
    if (!parsed.ok) return err({ ...parsed.error, code: "bundle-version-json" });
    const refusal = judgeWhole(this.#judge, parsed.value.entry);
    if (refusal !== undefined) return refusal;
    const hash = buildHash(this.#entries);
    if (hash !== parsed.value.buildHash) {
      return bundleFault("bundle-hash", `says of itself ${parsed.value.buildHash} and is ${hash}`);
    }
    return ok({ versionJson: parsed.value, entries: this.#entries, bytes: this.#bytes });
  }
}
