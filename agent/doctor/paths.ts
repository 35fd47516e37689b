import type { Finding } from "../../protocol/finding.ts";
import { findingsOf } from "./finding.ts";
import { count } from "./words.ts";

/** `own`: the agent's, read and written. `private`: that, and nobody else's to read. `readable`: somebody else's. */
export type PathUse = "own" | "private" | "readable";

export type PathFacts = {
  readonly path: string;
  readonly use: PathUse;
  readonly required: boolean;
  /** Null when there is nothing. */
  readonly found: {
    readonly uid: number;
    /** Permission bits. */
    readonly mode: number;
    /** By the user of the service. */
    readonly readable: boolean;
    readonly writable: boolean;
  } | null;
};

export type PathsFacts = {
  /** The user that the agent runs as. */
  readonly uid: number;
  readonly paths: readonly PathFacts[];
};

const { ok, problem } = findingsOf("permissions");

/** Owners and modes of everything that the agent reads and writes. */
export function judgePaths({ uid, paths }: PathsFacts): Finding[] {
  const wrong = paths.flatMap((each) => judgePath(uid, each) ?? []);
  if (wrong.length > 0) return wrong;
  const there = paths.filter(({ found }) => found !== null).length;
  return [ok("paths-ok", `${count(there, "path", "paths")} with the right owner (user ${uid}) and mode.`)];
}

function judgePath(uid: number, { path, use, required, found }: PathFacts): Finding | null {
  if (found === null) {
    if (!required) return null;
    return problem(
      "path-missing",
      `${path} is missing.`,
      "The agent makes what it needs when it starts; a file that is named in the settings is yours to make.",
    );
  }
  const { mode, readable, writable } = found;
  if (use !== "readable" && found.uid !== uid) {
    return problem(
      "path-foreign",
      `${path} belongs to user ${found.uid}; the agent is user ${uid} and cannot work with it.`,
      `A command that was run as another user made it. Give it back: chown -hR ${uid} ${path}`,
    );
  }
  if (use === "private" && (mode & 0o077) !== 0) {
    return problem(
      "path-open",
      `${path} has the mode ${octal(mode)}: others may read what this node proves itself with.`,
      `Close it: chmod go= ${path}. If somebody may have read it, join again: agent join --force`,
    );
  }
  if (!readable || (use !== "readable" && !writable)) {
    const what = readable ? "written" : "read";
    return problem(
      "path-denied",
      `${path} (mode ${octal(mode)}, user ${found.uid}) may not be ${what} by the agent, user ${uid}.`,
      use === "readable"
        ? `Let the agent's group read it: chgrp baton-agent ${path} && chmod g+r ${path}`
        : `Let its owner: chmod u+rwX ${path}`,
    );
  }
  return null;
}

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, "0");
