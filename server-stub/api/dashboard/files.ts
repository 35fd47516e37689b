/**
 * The dashboard's files, as the build made them: read once, held in memory, and nothing else is ever served.
 *
 * Invariant: what is not in the directory when the coordinator starts has no address.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join, relative } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

export type Encoding = "br" | "gzip" | "identity";

export type DashboardFile = {
  readonly type: string;
  /** Strong, of the file itself. */
  readonly etag: string;
  /** Its name says what is in it, so that it never changes. */
  readonly immutable: boolean;
  /** The bytes; what is compressed is compressed once. */
  body(encoding: Encoding): Promise<Buffer>;
};

export type DashboardFiles = {
  /** The page that everything begins with. */
  readonly index: DashboardFile;
  /** By their path, with its first slash. */
  readonly byPath: ReadonlyMap<string, DashboardFile>;
};

/** The files of the first of these directories that has been built; null when none has. */
export async function readDashboard(dirs: readonly string[]): Promise<DashboardFiles | null> {
  for (const dir of dirs) {
    const byPath = await readAll(dir);
    const index = byPath.get("/index.html");
    if (index !== undefined) return { index, byPath };
  }
  return null;
}

async function readAll(dir: string): Promise<Map<string, DashboardFile>> {
  const files = new Map<string, DashboardFile>();
  for (const entry of await entriesOf(dir)) {
    const path = join(entry.parentPath, entry.name);
    const type = TYPES[extname(entry.name)];
    if (entry.isFile() && type !== undefined)
      files.set(`/${relative(dir, path)}`, fileOf(await readFile(path), type, path));
  }
  return files;
}

const entriesOf = (dir: string) =>
  readdir(dir, { recursive: true, withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/** A name that ends in the hash that the build gave it. */
const HASHED = /-[\w-]{8}\.\w+$/;

function fileOf(bytes: Buffer, type: string, path: string): DashboardFile {
  const made = new Map<Encoding, Promise<Buffer>>();
  return {
    type,
    etag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`,
    immutable: HASHED.test(path),
    body: (encoding) => {
      const body = made.get(encoding) ?? ENCODE[encoding](bytes);
      made.set(encoding, body);
      return body;
    },
  };
}

const ENCODE: Readonly<Record<Encoding, (bytes: Buffer) => Promise<Buffer>>> = {
  br: (bytes) => promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
  gzip: (bytes) => promisify(gzip)(bytes, { level: 9 }),
  identity: (bytes) => Promise.resolve(bytes),
};
