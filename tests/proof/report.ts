/** What a run of the proof leaves behind for other programs to read. */
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import type { Shard } from "./part.ts";
import type { Run } from "./run.ts";

export type Report = Run & {
  readonly shard: Shard;
  /** When it ended, in UTC. */
  readonly endedAt: string;
  /** What was tried; it ends with `+` when there were changes that are in no commit. Null outside of a checkout. */
  readonly commit: string | null;
};

export async function writeReport(file: string, run: Run, shard: Shard): Promise<void> {
  const report: Report = { ...run, shard, endedAt: new Date().toISOString(), commit: await commitNow() };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
}

/** Null where git is not installed, or the sources came without their history. */
async function commitNow(): Promise<string | null> {
  const git = (...args: string[]) => promisify(execFile)("git", args, { cwd: import.meta.dirname });
  try {
    const { stdout: commit } = await git("rev-parse", "--short=10", "HEAD");
    const { stdout: changes } = await git("status", "--porcelain");
    return `${commit.trim()}${changes.trim() === "" ? "" : "+"}`;
  } catch {
    return null;
  }
}
