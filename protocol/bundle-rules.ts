/**
 * What may be in a bundle. The rules judge one entry after another, as an archive or a tree gives them, before
 * anything of the entry is written anywhere. Rejected, not cleaned up and accepted: there is no path, mode or link
 * that is changed to make it fit.
 *
 * Invariants of a tree that was admitted whole:
 * - Every path is in normal form, and its directory was admitted before it; so nothing lies beneath a link.
 * - No two paths are equal after Unicode normalisation and folding of case.
 * - A link's target is relative: some `..`, then plain names. As its directory is a real one, the `..` end inside
 *   the tree, and every further link on the way obeys the same rule: nothing leads out.
 */
import { type FileMode, VERSION_JSON } from "./build-hash.ts";
import { type BundleFault, bundleFault, type Refusal, showName } from "./bundle-faults.ts";
import { ok, type Result } from "./result.ts";

/** An entry as an archive claims it to be. Nothing of it is trusted. */
export type ArchiveEntry = {
  readonly kind: "file" | "directory" | "link" | "hard-link" | "device" | "fifo" | "other";
  readonly path: string;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly bytes: number;
  /** What a link points to. */
  readonly target: string;
};

/** An entry that obeys the rules; a directory's trailing slash is gone. */
export type AdmittedEntry =
  | { readonly kind: "file"; readonly path: string; readonly mode: FileMode; readonly bytes: number }
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

export type BundleLimits = {
  readonly maxEntries: number;
  readonly maxFileBytes: number;
  /** All files together. */
  readonly maxTotalBytes: number;
  /** Unpacked to packed bytes, looked at from `RATIO_FLOOR_BYTES` on. */
  readonly maxRatio: number;
  /** Components of a path. */
  readonly maxDepth: number;
  /** Of a path, and of a link's target. */
  readonly maxPathBytes: number;
};

export const DEFAULT_BUNDLE_LIMITS: BundleLimits = {
  maxEntries: 50_000,
  maxFileBytes: 1024 ** 3,
  maxTotalBytes: 2 * 1024 ** 3,
  maxRatio: 200,
  maxDepth: 32,
  maxPathBytes: 400,
};

/** A small tree of zeros is no bomb. */
export const RATIO_FLOOR_BYTES = 16 * 1024 ** 2;

/** `version.json` is read whole into memory. */
export const MAX_VERSION_JSON_BYTES = 256 * 1024;

/** Written last into an unpacked release. A bundle that brings its own would call itself complete. */
export const COMPLETE_MARKER = ".complete";

/** Judges the entries of one bundle in their order. After a fault it is not to be used again. */
export class BundleJudge {
  readonly #limits: BundleLimits;
  /** What has been admitted, by folded path. */
  readonly #seen = new Map<string, AdmittedEntry>();
  #totalBytes = 0;

  constructor(limits: BundleLimits = DEFAULT_BUNDLE_LIMITS) {
    this.#limits = limits;
  }

  admit(entry: ArchiveEntry): Result<AdmittedEntry, BundleFault> {
    const { maxEntries, maxFileBytes, maxTotalBytes } = this.#limits;
    if (this.#seen.size >= maxEntries)
      return bundleFault("bundle-entries", `is one more than the ${maxEntries} allowed`, entry.path);
    const path =
      entry.kind === "directory" && entry.path.length > 1 ? entry.path.replace(/\/$/, "") : entry.path;
    const fault =
      judgeKind(entry) ?? judgeName(path, this.#limits) ?? this.#judgePlace(path) ?? judgeMode(entry);
    if (fault !== undefined) return fault;
    if (entry.kind === "file") {
      if (entry.bytes > maxFileBytes)
        return bundleFault("bundle-file-size", `is larger than ${maxFileBytes} bytes`, path);
      this.#totalBytes += entry.bytes;
      if (this.#totalBytes > maxTotalBytes)
        return bundleFault("bundle-total-size", `brings the whole above ${maxTotalBytes} bytes`, path);
    }
    const target = entry.kind === "link" ? judgeTarget(path, entry.target, this.#limits) : undefined;
    if (target !== undefined) return target;
    const admitted = admit(entry, path);
    this.#seen.set(fold(path), admitted);
    return ok(admitted);
  }

  /** The admitted entry at exactly this path. */
  at(path: string): AdmittedEntry | undefined {
    const found = this.#seen.get(fold(path));
    return found?.path === path ? found : undefined;
  }

  #judgePlace(path: string): Refusal | undefined {
    const same = this.#seen.get(fold(path));
    if (same?.path === path) return bundleFault("bundle-duplicate", "is there twice", path);
    if (same !== undefined)
      return bundleFault(
        "bundle-collision",
        `is the same as ${showName(same.path)} where case or accents do not count`,
        path,
      );
    const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    if (parent === "") return undefined;
    const above = this.#seen.get(fold(parent));
    if (above === undefined)
      return bundleFault("bundle-orphan", "comes without its directory before it", path);
    if (above.path !== parent)
      return bundleFault(
        "bundle-collision",
        `lies in what is ${showName(above.path)} where case or accents do not count`,
        path,
      );
    if (above.kind !== "directory")
      return bundleFault("bundle-beneath-link", `lies beneath a ${above.kind}`, path);
    return undefined;
  }
}

function judgeName(path: string, limits: BundleLimits): Refusal | undefined {
  if (path.startsWith("/")) return bundleFault("bundle-path-absolute", "has an absolute path", path);
  const encoding = judgeText(path, path, "path");
  if (encoding !== undefined) return encoding;
  const names = path.split("/");
  if (names.includes("..")) return bundleFault("bundle-path-parent", "has `..` in its path", path);
  if (names.includes(".") || names.includes(""))
    return bundleFault("bundle-path-form", "has a path that is not in its plain form", path);
  if (names.length > limits.maxDepth)
    return bundleFault("bundle-path-depth", `lies deeper than ${limits.maxDepth} levels`, path);
  if (Buffer.byteLength(path) > limits.maxPathBytes)
    return bundleFault("bundle-path-length", `has a path longer than ${limits.maxPathBytes} bytes`, path);
  if (names.some((name) => Buffer.byteLength(name) > 255))
    return bundleFault("bundle-path-length", "has a name longer than 255 bytes", path);
  if (fold(path) === COMPLETE_MARKER)
    return bundleFault("bundle-path-reserved", "has a name that is the agent's own", path);
  return undefined;
}

/** Control characters, line and paragraph separators, and those that turn the direction of what follows. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;
/** What a decoder leaves where bytes were not UTF-8, and halves of a pair. */
const UNDECODED = /\ufffd|\p{Cs}/u;

function judgeText(text: string, path: string, what: string): Refusal | undefined {
  if (UNDECODED.test(text))
    return bundleFault("bundle-path-encoding", `has a ${what} that is not UTF-8`, path);
  if (UNPRINTABLE.test(text))
    return bundleFault("bundle-path-control", `has a control character in its ${what}`, path);
  return undefined;
}

function judgeKind(entry: ArchiveEntry): Refusal | undefined {
  switch (entry.kind) {
    case "file":
    case "directory":
    case "link":
      return undefined;
    case "hard-link":
      return bundleFault("bundle-hard-link", "is a hard link", entry.path);
    case "device":
      return bundleFault("bundle-device", "is a device", entry.path);
    case "fifo":
      return bundleFault("bundle-fifo", "is a FIFO", entry.path);
    case "other":
      return bundleFault("bundle-kind", "is neither a file, nor a directory, nor a link", entry.path);
  }
}

function judgeMode(entry: ArchiveEntry): Refusal | undefined {
  if (entry.kind === "link") return undefined;
  if ((entry.mode & 0o7000) !== 0)
    return bundleFault("bundle-setuid", "is setuid, setgid or sticky", entry.path);
  const allowed = entry.kind === "directory" ? [0o755] : [0o644, 0o755];
  if (allowed.includes(entry.mode)) return undefined;
  const octal = entry.mode.toString(8).padStart(4, "0");
  return bundleFault(
    "bundle-mode",
    `has mode ${octal}; files have 0644 or 0755, directories 0755`,
    entry.path,
  );
}

function judgeTarget(path: string, target: string, limits: BundleLimits): Refusal | undefined {
  const text = judgeText(target, path, "target");
  if (text !== undefined) return text;
  if (Buffer.byteLength(target) > limits.maxPathBytes)
    return bundleFault("bundle-path-length", `has a target longer than ${limits.maxPathBytes} bytes`, path);
  const names = target.split("/");
  const ups = names.findIndex((name) => name !== "..");
  const plain = ups >= 0 && names.slice(ups).every((name) => name !== "" && name !== "." && name !== "..");
  const depth = path.split("/").length - 1;
  if (plain && ups <= depth) return undefined;
  return bundleFault(
    "bundle-link-escapes",
    `is a link to ${showName(target)}, which does not lead plainly to something in the bundle`,
    path,
  );
}

function admit(entry: ArchiveEntry, path: string): AdmittedEntry {
  if (entry.kind === "directory") return { kind: "directory", path };
  if (entry.kind === "link") return { kind: "link", path, target: entry.target };
  return { kind: "file", path, mode: entry.mode === 0o755 ? 0o755 : 0o644, bytes: entry.bytes };
}

/** Equal for paths that some file system, or some reader, would take for one. */
const fold = (path: string): string => path.normalize("NFKC").toUpperCase().toLowerCase().normalize("NFKC");

/** What must be there once all entries are admitted: `version.json`, and the program that it names. */
export function judgeWhole(judge: BundleJudge, entryPath: string): Refusal | undefined {
  if (judge.at(VERSION_JSON)?.kind !== "file")
    return bundleFault("bundle-version-json", `has no ${VERSION_JSON}`);
  if (judge.at(entryPath)?.kind === "file") return undefined;
  return bundleFault(
    "bundle-entry-missing",
    "is named as the program by version.json and is not there",
    entryPath,
  );
}
