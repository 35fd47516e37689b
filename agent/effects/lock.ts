import { spawn } from "node:child_process";
import { type FileHandle, open, readFile } from "node:fs/promises";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import { hasCode } from "./durable.ts";

/** The update lock of a state directory: held by one process, for as long as it lives. */
export type Lock = { release(): Promise<void> };

export type LockFault = Fault<"already-running" | "lock-failed">;

/**
 * Takes the lock at `path`, or says who has it. The kernel gives it back when the process ends, however it ends, so
 * there is no stale lock to judge by its age, its process id or its boot.
 *
 * Node has no flock(2). A lock by flock belongs to the open file, not to the process that asked for it, so
 * util-linux's `flock` is run once on a descriptor that both have open: it sets the lock and exits, and the lock
 * stays with this process's descriptor. Node opens files close-on-exec, so that no child keeps it.
 * Source: flock(2), flock(1); docs/adr/0043-one-agent-per-state-directory.md.
 */
export async function takeLock(path: string): Promise<Result<Lock, LockFault>> {
  const opened = await orUnwritable(path, open(path, "a+", 0o644));
  if (!opened.ok) return opened;
  const file = opened.value;
  const taken = await flock(file.fd);
  if (taken.ok) {
    // Whose it is only explains; the lock is held on a full disk as well.
    await nameHolder(file).catch(() => undefined);
    return ok({ release: () => file.close() });
  }
  const holder = (await readFile(path, "utf8")).trim();
  await file.close();
  if (taken.error.code !== "already-running") return taken;
  const who = /^\d+$/.test(holder) ? ` by process ${holder}` : "";
  return err({
    code: "already-running",
    message: `The state directory is in use${who}; two agents on one would undo each other's updates.`,
    hint: "Stop the other agent first, or give this one a state directory of its own.",
    context: { path, holder: who === "" ? null : holder },
  });
}

/**
 * What `write` came to; `lock-failed` when the state directory cannot be written. Nothing that an agent does there would
 * be safe then, so none starts. What is there stands, and a start succeeds as soon as it is mended.
 */
export async function orUnwritable<T>(path: string, write: Promise<T>): Promise<Result<T, LockFault>> {
  try {
    return ok(await write);
  } catch (cause) {
    const hint = Object.entries(HINTS).find(([code]) => hasCode(cause, code))?.[1];
    if (hint === undefined) throw cause;
    return err({
      code: "lock-failed",
      message: `The state directory cannot be written, so no agent starts on it: ${cause instanceof Error ? cause.message : String(cause)}.`,
      hint: `${hint} What else is wrong: agent doctor`,
      context: { path },
    });
  }
}

const OWNED = "It must belong to the service's user: chown -R baton-agent: /var/lib/baton-agent.";
const HINTS: Readonly<Record<string, string>> = {
  EROFS: "The file system may only be read, often after an error of the disk (dmesg): mount -o remount,rw.",
  EACCES: OWNED,
  EPERM: OWNED,
  ENOSPC: "Free some space or inodes on that file system.",
  EDQUOT: "Raise the quota of the service's user, or free some space.",
};

async function nameHolder(file: FileHandle): Promise<void> {
  await file.truncate(0);
  await file.write(`${process.pid}\n`);
}

const TAKEN = 9;

function flock(fd: number): Promise<Result<void, LockFault>> {
  const failed = (said: string): Result<never, LockFault> =>
    err({
      code: "lock-failed",
      message: `The state directory could not be locked: ${said}.`,
      hint: "The command `flock` of util-linux is needed.",
    });
  return new Promise((resolve) => {
    const child = spawn("flock", ["--exclusive", "--nonblock", "--conflict-exit-code", String(TAKEN), "3"], {
      stdio: ["ignore", "ignore", "ignore", fd],
    });
    child.on("error", (cause) => resolve(failed(cause.message)));
    child.on("exit", (status) => {
      if (status === 0) resolve(ok(undefined));
      else if (status === TAKEN) resolve(err({ code: "already-running", message: "" }));
      else resolve(failed(`flock ended with ${status}`));
    });
  });
}
