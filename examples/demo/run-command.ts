import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

/**
 * Runs a program to its end. `show` lets a person see its standard error as it comes, and its standard output when
 * that is not needed. Throws what it said when it fails, unless it `mayFail`.
 */
export async function runCommand(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  { show = false, mayFail = false }: { show?: boolean; mayFail?: boolean } = {},
): Promise<{ code: number; out: string }> {
  const child = spawn(file, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", show ? "inherit" : "pipe", show ? "inherit" : "pipe"],
  });
  const ended = once(child, "close");
  const [out, said] = await Promise.all([
    child.stdout === null ? "" : text(child.stdout),
    child.stderr === null ? "" : text(child.stderr),
  ]);
  await ended;
  const code = child.exitCode ?? 1;
  if (code !== 0 && !mayFail) {
    throw new Error(`${args.slice(0, 4).join(" ")} … ended with ${child.signalCode ?? code}:\n${said}${out}`);
  }
  return { code, out };
}
