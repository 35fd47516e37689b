import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress } from "node:zlib";
import { Header } from "tar/header";
import { Pax } from "tar/pax";
import { VERSION_JSON } from "../../protocol/build-hash.ts";
import { MAX_WINDOW_LOG } from "../../protocol/bundle-reader.ts";
import type { SourceEntry } from "./tree.ts";

/** Part of the format: another level gives other bytes. */
const LEVEL = 12;
const MIN_WINDOW_LOG = 16;
/** The same in every archive. Not 0, which old readers of tar call implausible. */
const MTIME = new Date(1000);
const BLOCK = 512;

/**
 * Writes the archive: `version.json` first, then the entries in the order of their paths' bytes. Nothing of the
 * machine it is made on gets in: no times, owners or names of users. The same entries give the same bytes.
 */
export async function writeArchive(
  file: string,
  versionJson: string,
  entries: readonly SourceEntry[],
): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash("sha256");
  let bytes = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  const zstd = createZstdCompress({
    params: {
      [constants.ZSTD_c_compressionLevel]: LEVEL,
      [constants.ZSTD_c_windowLog]: windowLog(versionJson, entries),
      [constants.ZSTD_c_checksumFlag]: 1,
    },
  });
  const tar = Readable.from(tarBlocks(versionJson, entries), { objectMode: false });
  await pipeline(tar, zstd, measure, createWriteStream(file, { flags: "w", mode: 0o644 }));
  return { sha256: hash.digest("hex"), bytes };
}

/** As much window as the archive can use: a small one is packed with small tables, and unpacked with little memory. */
function windowLog(versionJson: string, entries: readonly SourceEntry[]): number {
  let bytes = versionJson.length;
  for (const entry of entries) bytes += 2 * BLOCK + (entry.kind === "file" ? entry.bytes : 0);
  return Math.min(MAX_WINDOW_LOG, Math.max(MIN_WINDOW_LOG, Math.ceil(Math.log2(bytes))));
}

async function* tarBlocks(versionJson: string, entries: readonly SourceEntry[]): AsyncGenerator<Buffer> {
  const content = Buffer.from(versionJson);
  yield* header({ type: "File", path: VERSION_JSON, mode: 0o644, size: content.length });
  yield* padded(content);
  for (const entry of entries) {
    switch (entry.kind) {
      case "directory":
        yield* header({ type: "Directory", path: `${entry.path}/`, mode: 0o755, size: 0 });
        break;
      case "link":
        yield* header({
          type: "SymbolicLink",
          path: entry.path,
          mode: 0o777,
          size: 0,
          linkpath: entry.target,
        });
        break;
      case "file":
        yield* header({ type: "File", path: entry.path, mode: entry.mode, size: entry.bytes });
        yield* fileBlocks(entry.from, entry.bytes);
        break;
    }
  }
  yield Buffer.alloc(2 * BLOCK);
}

type Fields = {
  type: "File" | "Directory" | "SymbolicLink";
  path: string;
  mode: number;
  size: number;
  linkpath?: string;
};

function* header(fields: Fields): Generator<Buffer> {
  const header = new Header({ ...fields, mtime: MTIME, uid: 0, gid: 0, uname: "", gname: "" });
  const needsPax = header.encode();
  if (needsPax) {
    const target = fields.linkpath === undefined ? {} : { linkpath: fields.linkpath };
    yield new Pax({ path: fields.path, ...target }).encode();
  }
  if (header.block !== undefined) yield header.block;
}

async function* fileBlocks(path: string, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes;
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 })) {
    left -= chunk.length;
    if (left < 0) break;
    yield chunk;
  }
  if (left !== 0) throw new Error(`${path} changed while it was packed`);
  yield* padded(Buffer.alloc(0), bytes);
}

function* padded(content: Buffer, bytes = content.length): Generator<Buffer> {
  if (content.length > 0) yield content;
  const rest = bytes % BLOCK;
  if (rest > 0) yield Buffer.alloc(BLOCK - rest);
}
