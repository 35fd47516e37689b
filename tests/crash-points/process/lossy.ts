/**
 * A disk that loses whatever was not fsynced: what a process did to it in which order must not have trusted it with more.
 *
 * - What gets its name by a rename was fsynced before: a file its content, a directory all that is in it.
 * - When `dist` or `dist.bak` is set, nothing else is pending but what may be lost (downloads, logs, what was thrown away).
 * - In the end no name is pending that something depends on.
 */
import { dirname } from "node:path";
import type { Syscall } from "./syscalls.ts";

/** What may be lost: it is fetched anew, explains only, is to be gone, or gives a try back. */
const MAY_BE_LOST = /^(download|state\/jobs|state\/\.trial-gone|state\/trial(\/ready|\/stop-requested)?$)/;

const parent = (path: string): string => {
  const dir = dirname(path);
  return dir === "." ? "" : dir;
};

/** What is wrong with the order, one sentence each. */
export function whatIsLost(calls: readonly Syscall[]): string[] {
  /** Files and directories that have changed since they were fsynced. */
  const pending = new Set<string>();
  const wrong: string[] = [];
  const below = (path: string) => [...pending].filter((each) => each === path || each.startsWith(`${path}/`));
  const matters = (path: string) => !MAY_BE_LOST.test(path) && !path.includes(".prepare-");

  for (const call of calls) {
    const { kind, path } = call;
    if (kind === "fsync") pending.delete(path);
    else if (kind === "write") pending.add(path);
    else if (kind === "create") {
      pending.add(path);
      pending.add(parent(path));
    } else if (kind === "unlink" || kind === "rmdir") {
      pending.delete(path);
      pending.add(parent(path));
    } else if (call.kind === "rename") {
      const { from } = call;
      if (!MAY_BE_LOST.test(path)) {
        for (const lost of below(from)) wrong.push(`${lost} was not fsynced when ${path} got its name`);
      }
      if (path === "dist" || path === "dist.bak") {
        // The new link itself lies in the state directory, as a name that is about to change.
        for (const lost of pending)
          if (lost !== "" && matters(lost)) wrong.push(`${lost} was pending when ${path} was set`);
      }
      for (const moved of below(from)) {
        pending.delete(moved);
        pending.add(`${path}${moved.slice(from.length)}`);
      }
      pending.add(parent(from));
      pending.add(parent(path));
    } else pending.add(parent(path));
  }
  for (const lost of pending)
    if (matters(lost)) wrong.push(`${lost === "" ? "." : lost} was pending in the end`);
  return [...new Set(wrong)];
}
