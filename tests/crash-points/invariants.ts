/** What must hold of a node's disk at every instant, whatever a crash leaves of it. */
import { createHash } from "node:crypto";
import { parseVersionJson } from "../../protocol/build.ts";
import { buildHash, type TreeEntry } from "../../protocol/build-hash.ts";
import { digest, linkAt, type Tree, textAt } from "./tree.ts";

/** What is wrong, or null. `but` is a release that was damaged from the beginning. */
export function whatIsBroken(tree: Tree, but: string | null = null): string | null {
  const dist = linkAt(tree, "dist");
  if (dist === null) return "dist is no link";
  if (!tree.has(`${dist}/.complete`)) return `dist names ${dist}, which is not complete`;
  const backup = linkAt(tree, "dist.bak");
  if (backup === null) return "there is no dist.bak";
  if (!tree.has(`${backup}/.complete`)) return `dist.bak names ${backup}, which is not complete`;
  for (const path of tree.keys()) {
    const [, release] = /^(releases\/[^/]+)\/\.complete$/.exec(path) ?? [];
    if (release === undefined || release === but) continue;
    const why = whyIncomplete(tree, release);
    if (why !== null) return `${release} has a .complete, and ${why}`;
  }
  return null;
}

const verified = new Map<string, string | null>();

/** Hashes a release, once for each that differs. */
function whyIncomplete(tree: Tree, release: string): string | null {
  const own = new Map([...tree].filter(([path]) => path.startsWith(`${release}/`)));
  const key = digest(own);
  let why = verified.get(key);
  if (why === undefined) {
    why = verify(own, release);
    verified.set(key, why);
  }
  return why;
}

function verify(tree: Tree, release: string): string | null {
  const [, sealed] = (textAt(tree, `${release}/.complete`) ?? "").split("\n");
  const versionJson = parseVersionJson(textAt(tree, `${release}/version.json`) ?? "");
  if (!versionJson.ok) return "its version.json cannot be read";
  const entries: TreeEntry[] = [];
  for (const [at, entry] of tree) {
    const path = at.slice(release.length + 1);
    if (path === ".complete" || path === "..complete.tmp") continue;
    if (entry.kind === "directory") entries.push({ kind: "directory", path });
    else if (entry.kind === "link") entries.push({ kind: "link", path, target: entry.target });
    else {
      const mode = (entry.mode & 0o111) === 0 ? 0o644 : 0o755;
      const sha256 = createHash("sha256").update(entry.data).digest("hex");
      entries.push({ kind: "file", path, mode, bytes: entry.data.length, sha256 });
    }
  }
  const hash = buildHash(entries);
  const wanted = [sealed, versionJson.value.buildHash];
  return wanted.every((each) => each === hash) ? null : "its tree is not the build that it names";
}
