import type { HookCommand } from "../../protocol/build.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import type { DurationMs } from "../../protocol/time.ts";
import type { Environment } from "./environment.ts";
import { createTail } from "./lines.ts";
import { showEnding, startProcessGroup } from "./process-group.ts";

export type HookFault = Fault<"hook-failed" | "hook-timeout">;

export type HookRun = {
  /** For messages: `drain`. */
  readonly name: string;
  readonly command: HookCommand;
  readonly cwd: string;
  readonly env: Environment;
  readonly limitMs: DurationMs;
};

const KEPT_LINES = 50;
/** A hook that is out of time gets no long goodbye. */
const GRACE_MS = 500;

/**
 * Runs a hook to its end, or ends it and all it started when its time is up. `line` gets the last fifty lines of
 * what it printed, when it is over. Gives back its standard output, at most its last fifty lines.
 */
export async function runHook(
  { name, command, cwd, env, limitMs }: HookRun,
  line: (text: string) => void,
): Promise<Result<readonly string[], HookFault>> {
  const stdout = createTail(KEPT_LINES);
  const both = createTail(KEPT_LINES);
  const group = startProcessGroup({
    command,
    cwd,
    env,
    line: (stream, text) => {
      both.add(text);
      if (stream === "stdout") stdout.add(text);
    },
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(resolve, limitMs, "late" as const);
  });
  const ending = await Promise.race([group.ended, late]);
  clearTimeout(timer);
  // A hook that leaves something running in its group is over all the same, and so is what it left.
  await group.stop(ending === "late" ? GRACE_MS : 0);
  for (const text of both.lines()) line(text);
  if (ending === "late") {
    return err({
      code: "hook-timeout",
      message: `The ${name} hook (${command.join(" ")}) took longer than ${limitMs} ms and was ended.`,
      context: { hook: name, limitMs },
    });
  }
  if (ending.kind === "exited" && ending.code === 0) return ok(stdout.lines());
  const last = both.lines().at(-1);
  return err({
    code: "hook-failed",
    message: `The ${name} hook (${command.join(" ")}) ${showEnding(ending)}${last === undefined ? "." : `: ${last}`}`,
    context: { hook: name, ...(ending.kind === "exited" ? { status: ending.code } : {}) },
  });
}
