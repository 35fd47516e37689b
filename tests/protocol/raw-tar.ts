import { createHash } from "node:crypto";
import { zstdCompressSync } from "node:zlib";
import { buildHash, type TreeEntry } from "../../protocol/build-hash.ts";

/**
 * Writes tar by hand, so that an archive can be wrong in any way that no writer of tar would let through. What is
 * not said is right.
 */
export type RawEntry = {
  readonly path: string | Buffer;
  /** `0` file, `1` hard link, `2` link, `3` and `4` devices, `5` directory, `6` FIFO, `x` extended header … */
  readonly type?: string;
  readonly mode?: number;
  readonly link?: string;
  readonly content?: string | Buffer;
  /** What the header claims, if not the content's length. */
  readonly claims?: number;
  /** What follows the content up to the next block. */
  readonly padding?: Buffer;
  readonly breakChecksum?: boolean;
  /** A pax extended header before it, as it is. */
  readonly pax?: string | Buffer;
};

export const BLOCK = 512;

export function rawTar(entries: readonly RawEntry[], end: Buffer = Buffer.alloc(2 * BLOCK)): Buffer {
  return Buffer.concat([...entries.flatMap(rawEntry), end]);
}

function rawEntry(entry: RawEntry): Buffer[] {
  const content = Buffer.from(entry.content ?? "");
  const rest = (BLOCK - (content.length % BLOCK)) % BLOCK;
  const own = [rawHeader(entry, content.length), content, entry.padding ?? Buffer.alloc(rest)];
  if (entry.pax === undefined) return own;
  return [...rawEntry({ path: "PaxHeader/x", type: "x", content: entry.pax }), ...own];
}

function rawHeader(entry: RawEntry, bytes: number): Buffer {
  const type = entry.type ?? "0";
  const block = Buffer.alloc(BLOCK);
  Buffer.from(entry.path).copy(block, 0, 0, 100);
  block.write(octal(entry.mode ?? (type === "5" ? 0o755 : type === "2" ? 0o777 : 0o644), 8), 100, "latin1");
  block.write(octal(0, 8), 108, "latin1");
  block.write(octal(0, 8), 116, "latin1");
  block.write(octal(entry.claims ?? bytes, 12), 124, "latin1");
  block.write(octal(1, 12), 136, "latin1");
  block.write(type, 156, "latin1");
  block.write(entry.link ?? "", 157, "utf8");
  block.write("ustar\u000000", 257, "latin1");
  block.fill(" ", 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0) + (entry.breakChecksum === true ? 1 : 0);
  block.write(octal(sum, 8), 148, "latin1");
  return block;
}

const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, "0")}\0`;

/** One line of a pax extended header, with its own length in front. */
export function paxLine(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (String(length).length + rest !== length) length = String(length).length + rest;
  return `${length} ${key}=${value}\n`;
}

/** A program and a `version.json` that says so, with the right hash for these and `others`. */
export function honest(others: readonly TreeEntry[] = [], overrides: object = {}): RawEntry[] {
  const content = "main";
  const sha256 = createHash("sha256").update(content).digest("hex");
  const main: TreeEntry = { kind: "file", path: "main.mjs", mode: 0o644, bytes: content.length, sha256 };
  const versionJson = {
    version: "1.0.0",
    buildHash: buildHash([main, ...others]),
    builtAt: "2026-01-01T00:00:00Z",
    gitCommit: "unknown",
    entry: "main.mjs",
    engines: { node: ">=26.0.0" },
    platform: "linux-x64",
    protocol: 1,
    ...overrides,
  };
  return [
    { path: "version.json", content: JSON.stringify(versionJson) },
    { path: "main.mjs", content },
  ];
}

export const packed = (entries: readonly RawEntry[], end?: Buffer): Buffer =>
  zstdCompressSync(rawTar(entries, end));
