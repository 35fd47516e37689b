import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const programs = fileURLToPath(new URL("../../packaging/guard/", import.meta.url));

export const oldBuild = "releases/1.0.0-aaaaaaaaaaaa";
export const newBuild = "releases/1.1.0-bbbbbbbbbbbb";
export const newHash = "b".repeat(64);

/** The shells that the programs must work in, each as the words before the script. dash is what Debian has as sh. */
export const shells = [["dash"], ["bash", "--posix"]] as const;
export type Shell = readonly string[];

export type Ended = {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};

export type RunOptions = { readonly shell?: Shell; readonly env?: Readonly<Record<string, string>> };

/**
 * A node's directories, real ones below a temporary directory: two complete releases, `dist` on the old one, and a
 * runtime directory. `using tree = nodeTree()` removes it all.
 */
export class NodeTree {
  readonly root = mkdtempSync(join(tmpdir(), "baton-node-"));
  readonly state = join(this.root, "var");
  readonly run = join(this.root, "run");
  readonly trial = join(this.state, "state/trial");

  constructor() {
    mkdirSync(this.run);
    mkdirSync(join(this.state, "state/quarantine"), { recursive: true });
    this.release(oldBuild);
    this.release(newBuild);
    symlinkSync(oldBuild, join(this.state, "dist"));
  }

  /** A complete release whose entry is a shell program: the tests' runtime is `sh`. */
  release(name: string, entry = "agent.sh", program = "exit 0\n"): string {
    const dir = join(this.state, name);
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, entry), program);
    writeFileSync(join(dir, ".complete"), `${entry}\n${newHash}\n`);
    return dir;
  }

  /** What the agent does in an update up to the commit point: the trial is durable, and `dist` names the new build. */
  onProbation(options: { tries?: number; refunds?: number } = {}): this {
    const files: Record<string, string> = {
      format: "1\n",
      to: `${newBuild}\n`,
      from: `${oldBuild}\n`,
      "to-hash": `${newHash}\n`,
      "boot-id": "00000000-0000-0000-0000-000000000000\n",
      since: "1000\n",
      quarantine: '{"by":"guard"}\n',
      verdict: '{"by":"guard"}\n',
    };
    for (const pool of ["tries", "refunds"]) mkdirSync(join(this.trial, pool), { recursive: true });
    for (const [name, text] of Object.entries(files)) this.writeTrial(name, text);
    for (let n = 1; n <= (options.tries ?? 3); n++) this.writeTrial(`tries/${n}`, "");
    for (let n = 1; n <= (options.refunds ?? 2); n++) this.writeTrial(`refunds/${n}`, "");
    symlinkSync(oldBuild, join(this.trial, "back"));
    this.pointDist(newBuild);
    return this;
  }

  writeTrial(name: string, text: string): void {
    writeFileSync(join(this.trial, name), text);
  }

  removeTrial(name: string): void {
    rmSync(join(this.trial, name), { recursive: true, force: true });
  }

  pointDist(target: string): void {
    symlinkSync(target, join(this.state, "dist.new"));
    renameSync(join(this.state, "dist.new"), join(this.state, "dist"));
  }

  get dist(): string {
    return readlinkSync(join(this.state, "dist"));
  }

  /** How many files are left in `tries` or `refunds`. */
  left(pool: "tries" | "refunds"): number {
    return readdirSync(join(this.trial, pool)).length;
  }

  has(path: string): boolean {
    return existsSync(join(this.state, path));
  }

  get quarantined(): boolean {
    return this.has(`state/quarantine/${newHash}`);
  }

  /** The launcher's line: `PID UPTIME_SECONDS CRASHES RELEASE`; empty when there is none. */
  get processRecord(): string {
    const path = join(this.run, "process");
    return existsSync(path) ? readFileSync(path, "utf8").trim() : "";
  }

  set processRecord(line: string) {
    writeFileSync(join(this.run, "process"), `${line}\n`);
  }

  guard(command: string, options: RunOptions = {}): Promise<Ended> {
    return this.program("agent-guard", [command], options);
  }

  launch(args: readonly string[] = [], options: RunOptions = {}): Promise<Ended> {
    return this.program("agent-launch", args, options);
  }

  /** Runs the program in a process group of its own, so that `kill -KILL 0` inside it ends it and nothing else. */
  async program(name: string, args: readonly string[], options: RunOptions): Promise<Ended> {
    const [command = "sh", ...flags] = options.shell ?? ["dash"];
    const child = spawn(command, [...flags, join(programs, name), ...args], {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env.PATH ?? "",
        BATON_STATE_DIR: this.state,
        BATON_RUN_DIR: this.run,
        BATON_NODE: "/bin/sh",
        ...options.env,
      },
    });
    const out = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk: Buffer) => {
      out.stdout += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      out.stderr += chunk.toString();
    });
    await once(child, "close");
    return { status: child.exitCode, signal: child.signalCode, ...out };
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
