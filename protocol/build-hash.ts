import { createHash } from "node:crypto";

/** One entry of an unpacked tree, as the build hash sees it. Paths are relative, with `/`, without a trailing one. */
export type TreeEntry =
  | {
      readonly kind: "file";
      readonly path: string;
      readonly mode: FileMode;
      readonly bytes: number;
      readonly sha256: string;
    }
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

/** The two modes that a file in a bundle may have. Directories have 0755, and a link's mode means nothing. */
export type FileMode = 0o644 | 0o755;

/** Where a build says what it is. It holds the hash, so it cannot be part of it. */
export const VERSION_JSON = "version.json";

/**
 * The `buildHash` of a tree: SHA-256, in hex, over one line of compact JSON per entry but the top `version.json`,
 * each ended by a newline, sorted by the bytes of the path. Names and modes are part of a build; times and owners
 * are not. The order in which the entries come does not matter.
 */
export function buildHash(entries: Iterable<TreeEntry>): string {
  const lines: { readonly key: Buffer; readonly line: string }[] = [];
  for (const entry of entries) {
    if (entry.path !== VERSION_JSON) lines.push({ key: Buffer.from(entry.path), line: hashLine(entry) });
  }
  lines.sort((a, b) => Buffer.compare(a.key, b.key));
  const hash = createHash("sha256");
  for (const { line } of lines) hash.update(line);
  return hash.digest("hex");
}

/** The line of one entry, with its newline: `["f","0644",SIZE,"SHA256","path"]`, `["d",…]` or `["l",…]`. */
export function hashLine(entry: TreeEntry): string {
  switch (entry.kind) {
    case "file":
      return line("f", entry.mode === 0o755 ? "0755" : "0644", entry.bytes, entry.sha256, entry.path);
    case "directory":
      return line("d", "0755", 0, "", entry.path);
    case "link":
      return line("l", "", 0, entry.target, entry.path);
  }
}

const line = (...fields: (string | number)[]): string => `${JSON.stringify(fields)}\n`;

/** Orders paths as the build hash and the archive do: by their UTF-8 bytes. */
export const comparePaths = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
