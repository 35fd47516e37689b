import type { Stats } from "node:fs";
import { access, constants, lstat, stat } from "node:fs/promises";
import { join } from "node:path";
import { hasCode } from "../../effects/durable.ts";
import type { Layout } from "../../effects/layout.ts";
import type { PathFacts, PathsFacts, PathUse } from "../paths.ts";

type Who = { readonly uid: number; readonly gid: number };

/**
 * Owner, mode and rights of every path. `others`: files that the settings name. `isAgent`: it is the agent that looks,
 * so that its own user is who must be able to work with them.
 */
export async function lookAtPaths(
  layout: Layout,
  others: readonly (string | null)[],
  isAgent: boolean,
): Promise<PathsFacts> {
  const me = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  const who = isAgent ? me : await ownerOf(layout.root, me);
  const { state } = layout;
  const wanted: [string, PathUse, boolean][] = [
    [layout.root, "own", true],
    [layout.releases, "own", false],
    [layout.download, "own", false],
    [state, "private", false],
    [layout.quarantine, "own", false],
    [layout.jobs, "own", false],
    [layout.journal, "own", false],
    [layout.floor, "own", false],
    [layout.verdict, "own", false],
    [layout.trial, "own", false],
    [layout.lock, "own", false],
    [join(state, "node.json"), "private", false],
    [join(state, "root.json"), "own", false],
    [join(state, "trust-floor.json"), "own", false],
    [join(state, "tuf"), "private", false],
    ...others.flatMap((path): [string, PathUse, boolean][] =>
      path === null ? [] : [[path, "readable", true]],
    ),
  ];
  const paths = await Promise.all(wanted.map((each) => lookAtPath(who, each)));
  return { uid: who.uid, paths };
}

/** The service's user, whom the state directory belongs to. */
async function ownerOf(home: string, otherwise: Who): Promise<Who> {
  const found = await stat(home).catch((cause: unknown) => {
    if (hasCode(cause, "ENOENT")) return otherwise;
    throw cause;
  });
  return { uid: found.uid, gid: found.gid };
}

async function lookAtPath(who: Who, [path, use, required]: [string, PathUse, boolean]): Promise<PathFacts> {
  try {
    const found = await (use === "readable" ? stat(path) : lstat(path));
    const { uid, mode } = found;
    const rights = await rightsOn(path, found, who);
    return { path, use, required, found: { uid, mode: mode & 0o7777, ...rights } };
  } catch (cause) {
    if (hasCode(cause, "ENOENT")) return { path, use, required, found: null };
    if (!hasCode(cause, "EACCES")) throw cause;
    // A directory above may not be entered; which one is said by its own line.
    return { path, use, required: false, found: null };
  }
}

/** By the kernel for whoever asks for himself, and by the bits for who asks for another. */
async function rightsOn(
  path: string,
  found: Stats,
  who: Who,
): Promise<{ readable: boolean; writable: boolean }> {
  if (who.uid !== 0 && process.geteuid?.() === who.uid) {
    return { readable: await may(path, constants.R_OK), writable: await may(path, constants.W_OK) };
  }
  const shift = found.uid === who.uid ? 6 : found.gid === who.gid ? 3 : 0;
  const bits = found.mode >> shift;
  const isRoot = who.uid === 0;
  return { readable: isRoot || (bits & 4) !== 0, writable: isRoot || (bits & 2) !== 0 };
}

const may = (path: string, how: number): Promise<boolean> =>
  access(path, how).then(
    () => true,
    // That the disk may only be read is another finding.
    (cause: unknown) => hasCode(cause, "EROFS"),
  );
