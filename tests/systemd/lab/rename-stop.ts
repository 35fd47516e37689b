import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { until } from "./until.ts";

const RENAMES = "rename,renameat,renameat2";

/** Time for which a process stands still before and after each of its renames, milliseconds. */
const STILL_MS = 250;

/**
 * Slows down the renames of a process by strace, so that a node can be killed right before or right after a
 * chosen one: every step of an update that counts is a rename.
 */
export class RenameStop {
  readonly #strace: ChildProcess;
  readonly #file: string;

  private constructor(strace: ChildProcess, file: string) {
    this.#strace = strace;
    this.#file = file;
  }

  /** Takes hold of the process and its threads; resolves when it has. */
  static async attach(pid: number, file: string): Promise<RenameStop> {
    rmSync(file, { force: true });
    const delay = `${STILL_MS * 1000}`;
    const inject = `inject=${RENAMES}:delay_enter=${delay}:delay_exit=${delay}`;
    const args = ["-f", "-p", String(pid), "-o", file, "-s", "4096", "-e", `trace=${RENAMES}`, "-e", inject];
    const strace = spawn("strace", args, { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    strace.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    const attached = () => {
      if (strace.exitCode !== null) throw new Error(`strace ended: ${said}`);
      return said.includes(" attached");
    };
    await until(attached, { what: `strace on process ${pid}`, timeoutMs: 5_000, everyMs: 10 });
    return new RenameStop(strace, file);
  }

  /** Waits until a rename onto a path that matches is about to happen, or has just happened. Gives its line. */
  async at(side: "before" | "after", onto: RegExp, timeoutMs = 60_000): Promise<string> {
    const look = () => {
      const lines = this.#lines();
      const at = lines.findIndex((line) => onto.test(target(line)));
      if (at === -1) return undefined;
      return side === "before" || isDone(lines, at) ? lines[at] : undefined;
    };
    return await until(look, { what: `rename onto ${String(onto)}`, timeoutMs, everyMs: 10 });
  }

  /** Lets go of the process. May be called twice, and after the process has ended. */
  async detach(): Promise<void> {
    if (this.#strace.exitCode !== null || this.#strace.signalCode !== null) return;
    const gone = once(this.#strace, "exit");
    this.#strace.kill("SIGTERM");
    await gone;
  }

  #lines(): readonly string[] {
    return existsSync(this.#file) ? readFileSync(this.#file, "utf8").split("\n") : [];
  }
}

/** The last path of `… rename("from", "to"` and of its other forms. */
const target = (line: string): string => [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].at(-1)?.[1] ?? "";

/**
 * Whether the call that begins in a line has ended. While another thread does something, strace ends the line with
 * `<unfinished ...>`, and writes how it ended into a later one of the same thread.
 */
function isDone(lines: readonly string[], at: number): boolean {
  const line = lines[at] ?? "";
  if (!line.includes("<unfinished ...>")) return line.includes(" = ");
  const thread = /^\d+/.exec(line)?.[0];
  return lines.slice(at + 1).some((later) => later.startsWith(`${thread} `) && later.includes(" resumed>"));
}
