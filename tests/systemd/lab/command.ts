import { type ChildProcess, spawn } from "node:child_process";

/** What a program did: its exit status (`null` when a signal ended it) and what it printed. */
export type Ran = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};

export type RunOptions = {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** After this long the program is killed; `code` is then null. Milliseconds, 60 s unless given. */
  readonly timeoutMs?: number;
};

/** Runs a program to its end and keeps what it prints. Never rejects because of an exit status. */
export function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const child = spawn(file, args, { env: options.env ?? process.env, stdio: ["pipe", "pipe", "pipe"] });
  return finished(child, file, options);
}

/** `run` for what must succeed: gives stdout, or throws with everything that was printed. */
export async function must(file: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const ran = await run(file, args, options);
  if (ran.code === 0) return ran.stdout;
  throw new Error(`${[file, ...args].join(" ")} ${how(ran)}\n${ran.stdout}${ran.stderr}`.trimEnd());
}

/** How a program ended, in words. */
export const how = (ran: Ran): string =>
  ran.code === null ? `was ended by ${ran.signal ?? "a signal"}` : `ended with status ${ran.code}`;

function finished(child: ChildProcess, file: string, options: RunOptions): Promise<Ran> {
  return new Promise((resolve, reject) => {
    let stdout = "";
    let stderr = "";
    const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? 60_000);
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(new Error(`${file} could not be started`, { cause: error }));
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr });
    });
    child.stdin?.on("error", () => undefined).end(options.input ?? "");
  });
}
