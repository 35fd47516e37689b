/**
 * Bundles and backups that nobody honest packed: refused, with nothing of them left and nothing beside them touched;
 * or, where there is nothing wrong about one, exactly what it says.
 */
import { existsSync } from "node:fs";
import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve, sep } from "node:path";
import { Readable } from "node:stream";
import { zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { realDisk } from "../../../agent/effects/disk.ts";
import { readTree } from "../../../agent/effects/release.ts";
import { unpackBundle } from "../../../agent/effects/unpack.ts";
import { buildHash } from "../../../protocol/build-hash.ts";
import { NO_SINK, readBundle } from "../../../protocol/bundle-reader.ts";
import { FaultError, type Result } from "../../../protocol/result.ts";
import { unpackBackup } from "../../../server-stub/backup/unpack.ts";
import { honest, rawTar } from "../../protocol/raw-tar.ts";
import { anything, type Made, planted } from "../generate/archives.ts";
import { decent } from "../says.ts";
import type { Target } from "../target.ts";

/** Memory where there is some: nothing here has to outlive a power cut. */
const MEMORY = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

const HONEST = JSON.parse(String(honest()[0]?.content)) as { version: string; buildHash: string };

type Unpack = (
  request: Parameters<typeof unpackBundle>[0],
) => Promise<Result<unknown, { code: string; message: string }>>;

/** Unpacks on a real disk, in a directory with a canary beside; throws for whatever must not be. */
async function unpacked({ archive, evil }: Made, unpack: Unpack): Promise<void> {
  const place = await mkdtemp(join(MEMORY, "baton-fuzz-"));
  try {
    await writeFile(join(place, "canary"), "alive");
    await mkdir(join(place, "outside"));
    const archivePath = join(place, "archive");
    await writeFile(archivePath, archive);
    const into = join(place, "releases");
    const { version, buildHash: hash } = HONEST;
    const expected = { version, buildHash: hash };
    const result = await unpack({ disk: realDisk, archivePath, into, expected, platform: "linux-x64" });
    decent(result);
    if (result.ok && evil !== null) throw new Error(`it was taken, with ${evil}`);
    const names = (await readdir(place)).sort();
    const wanted = ["archive", "canary", "outside", ...(result.ok ? ["releases"] : [])];
    if (names.join() !== wanted.join()) throw new Error(`there is ${names.join()}`);
    if ((await readFile(join(place, "canary"), "utf8")) !== "alive") throw new Error("the canary is dead");
    if ((await readdir(join(place, "outside"))).length > 0) throw new Error("something is outside");
    if (result.ok) await isWhole(into, hash);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/** What was taken is what was signed, and nothing in it leads out. */
async function isWhole(root: string, hash: string): Promise<void> {
  if (buildHash(await readTree(realDisk, root)) !== hash) throw new Error("it is another tree");
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const { mode } = await lstat(path);
    if (!entry.isSymbolicLink() && (mode & 0o7000) !== 0) throw new Error(`${path} is setuid`);
    if (!entry.isSymbolicLink()) continue;
    const target = resolve(dirname(path), await readlink(path));
    if (!`${target}${sep}`.startsWith(`${await realpath(root)}${sep}`)) throw new Error(`${path} leads out`);
  }
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const MIB = 1024 ** 2;
/** What reading may take beyond what it took before, with the collector in no hurry. */
const MAX_GROWTH = 160 * MIB;

/** What must hold of unpacking. */
export const unpacking = (unpack: Unpack): [Target, Target] => [
  {
    name: "an archive with one thing wrong is refused, and leaves nothing",
    runs: 60,
    property: fc.asyncProperty(planted, (made) => unpacked(made, unpack)),
  },
  {
    name: "an archive of anything is refused and leaves nothing, or is what it says",
    runs: 30,
    property: fc.asyncProperty(anything, (made) => unpacked(made, unpack)),
  },
];

export const targets: readonly Target[] = [
  ...unpacking(unpackBundle),
  {
    name: "an archive is judged the same however its bytes come",
    runs: 60,
    property: fc.asyncProperty(anything, fc.constantFrom(1, 7, 511, 513), async ({ archive }, size) => {
      const atOnce = await readBundle(inPieces(archive, archive.length + 1), NO_SINK);
      const slowly = await readBundle(inPieces(archive, size), NO_SINK);
      const codes = [atOnce, slowly].map((read) => (read.ok ? "ok" : read.error.code));
      if (codes[0] !== codes[1]) throw new Error(codes.join(" or "));
    }),
  },
  {
    name: "a bomb is put out before it takes the memory",
    runs: 2,
    property: fc.asyncProperty(
      fc.constantFrom("0", "x"),
      fc.integer({ min: 24, max: 40 }),
      async (type, mib) => {
        const archive = zstdCompressSync(
          rawTar([...honest(), { path: "zeros", type, content: Buffer.alloc(mib * MIB) }]),
        );
        const before = process.memoryUsage.rss();
        const read = await readBundle(inPieces(archive, 65_536), NO_SINK);
        if (read.ok) throw new Error("it was taken");
        const growth = process.memoryUsage.rss() - before;
        if (growth > MAX_GROWTH) throw new Error(`${Math.round(growth / MIB)} MiB more are held`);
      },
    ),
  },
  {
    name: "a backup that nobody made is refused, and writes nothing outside",
    runs: 40,
    property: fc.asyncProperty(fc.oneof(planted, anything), async ({ archive }) => {
      const place = await mkdtemp(join(MEMORY, "baton-fuzz-"));
      const asked: string[] = [];
      try {
        const into = (path: string) => {
          asked.push(path);
          return join(place, path);
        };
        await unpackBackup(Readable.from([archive]), into);
        throw new Error("it was taken");
      } catch (cause) {
        if (!(cause instanceof FaultError)) throw cause;
        decent({ ok: false, error: cause.fault });
        if (asked.length > 0) throw new Error(`${asked.join()} was to be written`, { cause });
      } finally {
        await rm(place, { recursive: true, force: true });
      }
    }),
  },
];
