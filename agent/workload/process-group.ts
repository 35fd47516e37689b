import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { HookCommand } from "../../protocol/build.ts";
import type { DurationMs } from "../../protocol/time.ts";
import type { Environment } from "./environment.ts";
import { createLineCutter } from "./lines.ts";

/** How a program ended. `error`: it could not be started at all. */
export type Ending =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "killed"; readonly signal: string }
  | { readonly kind: "error"; readonly cause: Error };

/** A program in a process group of its own, so that whatever it starts ends with it. */
export type ProcessGroup = {
  readonly pid: number | undefined;
  /** Resolves once, when the program itself is over; what it left behind in its group may still run. */
  readonly ended: Promise<Ending>;
  /** SIGTERM to the group, SIGKILL to what is left of it after `graceMs`; done when the group is empty. */
  stop(graceMs: DurationMs): Promise<void>;
};

export type ProcessOptions = {
  readonly command: HookCommand;
  readonly cwd: string;
  readonly env: Environment;
  readonly line: (stream: "stdout" | "stderr", text: string) => void;
};

export function startProcessGroup({ command, cwd, env, line }: ProcessOptions): ProcessGroup {
  const [file, ...args] = command;
  if (file === undefined) throw new Error("A command has at least one word.");
  let child: ChildProcess;
  try {
    child = spawn(file, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  } catch (cause) {
    // No memory, or arguments that are too long: thrown, where other errors are told by an event.
    return notStarted(cause instanceof Error ? cause : new Error(String(cause)));
  }
  const drained = [forward(child, "stdout", line), forward(child, "stderr", line)];
  const exited = new Promise<Ending>((resolve) => {
    child.on("error", (cause) => resolve({ kind: "error", cause }));
    child.on("exit", (code, signal) =>
      resolve(code === null ? { kind: "killed", signal: signal ?? "" } : { kind: "exited", code }),
    );
  });
  // What it printed last comes with its end, unless somebody it started keeps the pipe open.
  const ended = exited.then(async (ending) => {
    await Promise.race([Promise.all(drained), sleep(100, undefined, { ref: false })]);
    return ending;
  });
  return {
    pid: child.pid,
    ended,
    stop: async (graceMs) => {
      if (child.pid === undefined) return;
      signalGroup(child.pid, "SIGTERM");
      await groupGone(child.pid, graceMs);
      signalGroup(child.pid, "SIGKILL");
      await exited;
    },
  };
}

const notStarted = (cause: Error): ProcessGroup => ({
  pid: undefined,
  ended: Promise.resolve({ kind: "error", cause }),
  stop: async () => undefined,
});

/** How a program ended, for people. */
export function showEnding(ending: Ending): string {
  switch (ending.kind) {
    case "exited":
      return `exited with status ${ending.code}`;
    case "killed":
      return `was ended by ${ending.signal}`;
    case "error":
      return `could not be started: ${ending.cause.message}`;
  }
}

function forward(child: ChildProcess, name: "stdout" | "stderr", line: ProcessOptions["line"]) {
  const stream = child[name];
  // Without a free descriptor there is no pipe at all, whatever the type says.
  if (!stream) return Promise.resolve();
  const cutter = createLineCutter((text) => line(name, text));
  stream.on("data", (chunk: Uint8Array) => cutter.write(chunk));
  return new Promise<void>((resolve) => {
    stream.on("close", () => {
      cutter.end();
      resolve();
    });
  });
}

/** Sends a signal to a process group; false when it is empty. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ESRCH") return false;
    throw cause;
  }
}

async function groupGone(pid: number, withinMs: DurationMs): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (signalGroup(pid, 0) && performance.now() < deadline) await sleep(20);
}
