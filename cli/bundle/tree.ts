import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { comparePaths, type TreeEntry, VERSION_JSON } from "../../protocol/build-hash.ts";
import type { BundleFault } from "../../protocol/bundle-faults.ts";
import { type AdmittedEntry, type ArchiveEntry, BundleJudge } from "../../protocol/bundle-rules.ts";
import { ok, type Result } from "../../protocol/result.ts";

/** Something that goes into a bundle: a file at a path, or what is in a directory below a path (`""` is the top). */
export type Part =
  | { readonly file: string; readonly at: string }
  | { readonly dir: string; readonly at: string };

/** An entry of the bundle to be, and where its content is read. */
export type SourceEntry = AdmittedEntry & { readonly from: string };

/**
 * All entries of the parts, in the order of the archive, judged by the same rules as a bundle that is unpacked. Modes
 * become 0755 for what anyone may execute, 0644 for other files and 0755 for directories; a set-user-id bit is
 * refused rather than lost. A `version.json` at the top is left out, since packing writes its own.
 */
export async function readParts(parts: readonly Part[]): Promise<Result<SourceEntry[], BundleFault>> {
  const found: { entry: ArchiveEntry; from: string }[] = [];
  const directories = new Set<string>();
  const add = async (from: string, path: string): Promise<void> => {
    const entry = await claim(from, path);
    if (entry.kind === "directory") {
      if (!directories.has(path)) found.push({ entry, from });
      directories.add(path);
      await addAll(from, path);
    } else if (path !== VERSION_JSON) {
      found.push({ entry, from });
    }
  };
  const addAll = async (dir: string, at: string): Promise<void> => {
    for (const name of await readdir(dir)) await add(join(dir, name), at === "" ? name : `${at}/${name}`);
  };
  for (const part of parts) {
    for (const parent of parentsOf(part.at)) {
      if (!directories.has(parent)) found.push({ entry: directoryEntry(parent), from: "" });
      directories.add(parent);
    }
    if ("file" in part) await add(part.file, part.at);
    else await addAll(part.dir, part.at);
  }
  return judgeAll(found);
}

function judgeAll(found: { entry: ArchiveEntry; from: string }[]): Result<SourceEntry[], BundleFault> {
  const judge = new BundleJudge();
  const admitted: SourceEntry[] = [];
  for (const { entry, from } of found.sort((a, b) => comparePaths(a.entry.path, b.entry.path))) {
    const judged = judge.admit(entry);
    if (!judged.ok) return judged;
    admitted.push({ ...judged.value, from });
  }
  return ok(admitted);
}

async function claim(from: string, path: string): Promise<ArchiveEntry> {
  const stat = await lstat(from);
  const special = stat.mode & 0o7000;
  const plain = { path, bytes: 0, target: "" };
  if (stat.isSymbolicLink()) return { ...plain, kind: "link", mode: 0o777, target: await readlink(from) };
  // A directory that hands its group down (setgid) is common in shared checkouts, and means nothing in a bundle.
  if (stat.isDirectory()) return directoryEntry(path);
  if (stat.isFile()) {
    const mode = special | ((stat.mode & 0o111) === 0 ? 0o644 : 0o755);
    return { ...plain, kind: "file", mode, bytes: stat.size };
  }
  return { ...plain, kind: stat.isFIFO() ? "fifo" : stat.isSocket() ? "other" : "device", mode: 0o644 };
}

const directoryEntry = (path: string): ArchiveEntry => ({
  kind: "directory",
  path,
  mode: 0o755,
  bytes: 0,
  target: "",
});

/** `a` and `a/b` of `a/b/c`; none of `a`. */
function parentsOf(at: string): string[] {
  const names = at.split("/").slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join("/"));
}

/** The entries as the build hash sees them: every file is read once. */
export async function hashEntries(entries: readonly SourceEntry[]): Promise<TreeEntry[]> {
  const hashed: TreeEntry[] = [];
  for (const entry of entries) {
    if (entry.kind !== "file") hashed.push(entry);
    else hashed.push({ ...entry, sha256: await hashFile(entry.from) });
  }
  return hashed;
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}
