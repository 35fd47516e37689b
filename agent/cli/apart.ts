import { spawn } from "node:child_process";

/** Set for the process that does the work. */
const APART = "BATON_APART";

/**
 * Runs a command in a process of its own, and answers its exit status as soon as it is known. A file system that does
 * not answer keeps whoever has asked it from ending, even by `process.exit`: that one is left behind, and killed.
 */
export async function runApart(argv: readonly string[], run: () => Promise<number>): Promise<number> {
  const [, entry = ""] = process.argv;
  if (process.env[APART] !== undefined && process.send !== undefined) {
    process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));
    process.send(await run());
    // Whoever has got the status ends this process.
    return new Promise(() => undefined);
  }
  const child = spawn(process.execPath, [...process.execArgv, entry, ...argv], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: { ...process.env, [APART]: "1" },
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
    child.on("message", (status) => {
      resolve(Number(status));
      child.kill("SIGKILL");
      child.unref();
      child.disconnect();
    });
  });
}
