import { createHash } from "node:crypto";
import { join } from "node:path";
import { type Build, parseVersionJson, type VersionJson } from "../../protocol/build.ts";
import { buildHash, type TreeEntry, VERSION_JSON } from "../../protocol/build-hash.ts";
import { COMPLETE_MARKER } from "../../protocol/bundle-rules.ts";
import { err, type Fault, type Result } from "../../protocol/result.ts";
import type { Disk } from "./disk.ts";
import { hasCode, writeDurably } from "./durable.ts";
import { inParallel } from "./parallel.ts";
import { fileChunks } from "./unpack.ts";

/**
 * A release is an unpacked bundle under `releases/`. It is whole exactly when its `.complete` is there, which is
 * written after everything else of it is on the disk, and is the first of it to be removed.
 */
export type Seal = Pick<VersionJson, "entry" | "buildHash">;

/** Writes `.complete` into an unpacked and synced tree: the entry's path and the build hash, a line each. */
export const seal = (disk: Disk, dir: string, { entry, buildHash }: Seal): Promise<void> =>
  writeDurably(disk, join(dir, COMPLETE_MARKER), `${entry}\n${buildHash}\n`);

/** What `.complete` says, or `null` when the release is not whole. */
export async function readSeal(disk: Disk, dir: string): Promise<Seal | null> {
  let text: string;
  try {
    text = await disk.readText(join(dir, COMPLETE_MARKER));
  } catch (cause) {
    if (hasCode(cause, "ENOENT") || hasCode(cause, "ENOTDIR")) return null;
    throw cause;
  }
  const [, entry, buildHash] = /^([^\n]+)\n([0-9a-f]{64})\n$/.exec(text) ?? [];
  return entry === undefined || buildHash === undefined ? null : { entry, buildHash };
}

export type ReleaseFault = Fault<"release-incomplete" | "release-damaged">;

/** Hashes a sealed release again: `release-damaged` when anything differs from what its bundle held. */
export async function verifyRelease(
  disk: Disk,
  dir: string,
  expected?: Build,
): Promise<Result<VersionJson, ReleaseFault>> {
  const sealed = await readSeal(disk, dir);
  if (sealed === null) {
    return err({
      code: "release-incomplete",
      message: `${dir} is not a complete release.`,
      hint: "It is left from an update that did not finish, and is removed at the next start.",
    });
  }
  const versionJson = await readVersionJson(disk, dir);
  if (!versionJson.ok) return versionJson;
  const hash = buildHash(await readTree(disk, dir));
  const { entry, buildHash: says } = versionJson.value;
  const wanted = [says, sealed.buildHash, expected?.buildHash ?? says];
  if (wanted.some((other) => other !== hash)) return damaged(dir, `its hash is ${hash}, not ${wanted[0]}`);
  if (entry !== sealed.entry) return damaged(dir, `its entry is ${entry}, and was ${sealed.entry}`);
  return versionJson;
}

/** `version.json` of a tree. */
export async function readVersionJson(disk: Disk, dir: string): Promise<Result<VersionJson, ReleaseFault>> {
  let text: string;
  try {
    text = await disk.readText(join(dir, VERSION_JSON));
  } catch (cause) {
    if (hasCode(cause, "ENOENT")) return damaged(dir, "version.json is missing");
    throw cause;
  }
  const parsed = parseVersionJson(text);
  return parsed.ok ? parsed : damaged(dir, parsed.error.message);
}

const damaged = (dir: string, what: string): Result<never, ReleaseFault> =>
  err({
    code: "release-damaged",
    message: `${dir} is not what was unpacked there: ${what}.`,
    hint: "Nothing was changed; remove it and update again.",
  });

const isFileMode = (mode: number): boolean => mode === 0o644 || mode === 0o755;

/**
 * Every entry of an unpacked tree but `.complete`, links not followed. What could not have come from a bundle is
 * there as a file without a hash, so that the tree's hash is nobody's.
 */
export async function readTree(disk: Disk, dir: string): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = [];
  const files: { path: string; mode: 0o644 | 0o755 }[] = [];
  const walk = async (prefix: string): Promise<void> => {
    for (const name of await disk.readdir(join(dir, prefix))) {
      const path = prefix === "" ? name : `${prefix}/${name}`;
      if (path === COMPLETE_MARKER) continue;
      const stat = await disk.lstat(join(dir, path));
      if (stat.isSymbolicLink()) {
        entries.push({ kind: "link", path, target: await disk.readlink(join(dir, path)) });
      } else if (stat.isDirectory()) {
        entries.push({ kind: "directory", path });
        await walk(path);
      } else if (stat.isFile() && isFileMode(stat.mode & 0o7777)) {
        files.push({ path, mode: (stat.mode & 0o111) === 0 ? 0o644 : 0o755 });
      } else {
        entries.push({ kind: "file", path, mode: 0o644, bytes: 0, sha256: "" });
      }
    }
  };
  await walk("");
  await inParallel(files, 8, async ({ path, mode }) => {
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const chunk of fileChunks(disk, join(dir, path))) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    entries.push({ kind: "file", path, mode, bytes, sha256: hash.digest("hex") });
  });
  return entries;
}
