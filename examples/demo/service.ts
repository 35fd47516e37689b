/**
 * A small stand-in for systemd, for machines and users that have none to give: it keeps one agent running with the
 * same guard and the same launcher that the unit file names, and restarts it whenever it ends. It knows of
 * `ExecStartPre`, `ExecStart`, `ExecStop`, `Restart=always`, `TimeoutStartSec`, `TimeoutStopSec` and the timer of the
 * deadline, and of nothing else.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { readFileSync, watch } from "node:fs";
import { chmod, mkdir, open, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

export type ServiceOptions = {
  /** Folder of the guard and the launcher. */
  readonly guardDir: string;
  readonly stateDir: string;
  readonly runDir: string;
  /** The runtime for builds that bring none. */
  readonly node: string;
  /** Where standard output and error go. */
  readonly logFile: string;
  readonly env: Readonly<Record<string, string>>;
  readonly restartMs: number;
  readonly timeoutStartMs: number;
  readonly timeoutStopMs: number;
  /** How often the guard looks whether a start on probation lasts too long. */
  readonly deadlineEveryMs: number;
};

type ServiceEvents = {
  started: [pid: number];
  ready: [pid: number];
  /** The main process is gone, and what it left behind not yet; milliseconds since 1970. */
  exited: [atMs: number];
  /** The main process ended; `code` is null when a signal ended it. */
  ended: [code: number | null, signal: NodeJS.Signals | null];
};

export class Service extends EventEmitter<ServiceEvents> {
  readonly #options: ServiceOptions;
  /** In the environment of everything that this service starts, and of nothing else. */
  readonly #mark = randomUUID();
  #process: ChildProcess | undefined;
  #wanted = false;
  #loop: Promise<void> = Promise.resolve();
  #wake: (() => void) | undefined;

  constructor(options: ServiceOptions) {
    super();
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Starts the service and keeps it running until `stop`. */
  async start(): Promise<void> {
    const { runDir } = this.#options;
    await mkdir(runDir, { recursive: true, mode: 0o750 });
    // Stands where `systemd-notify` is looked for: what the agent says goes into a file that is watched.
    await mkdir(join(runDir, "bin"), { recursive: true });
    const notify = join(runDir, "bin/systemd-notify");
    await writeFile(notify, '#!/bin/sh\nprintf "%s\\n" "$@" >>"$NOTIFY_SOCKET"\n');
    await chmod(notify, 0o755);
    this.#wanted = true;
    this.#loop = this.#run();
  }

  /** Stops the service as systemd would: `ExecStop`, SIGTERM to the group, SIGKILL when that takes too long. */
  async stop(): Promise<void> {
    this.#wanted = false;
    const running = this.#process;
    if (running?.pid !== undefined && running.exitCode === null && running.signalCode === null) {
      await this.#guard("stop", { MAINPID: String(running.pid) });
      signalGroup(running.pid, "SIGTERM");
      const timer = setTimeout(() => signalGroup(running.pid, "SIGKILL"), this.#options.timeoutStopMs);
      await this.#loop;
      clearTimeout(timer);
    }
    this.#wake?.();
    await this.#loop;
  }

  /** Kills the whole service at once, as a crash of the machine would; `start` is the boot. */
  async crash(): Promise<void> {
    this.#wanted = false;
    signalGroup(this.#process?.pid, "SIGKILL");
    this.#wake?.();
    await this.#loop;
    await this.#killLeftovers();
  }

  async #run(): Promise<void> {
    const deadline = setInterval(() => void this.#guard("deadline", {}), this.#options.deadlineEveryMs);
    while (this.#wanted) {
      await this.#guard("start", {});
      if (!this.#wanted) break;
      await this.#once();
      if (this.#wanted) await this.#pause(this.#options.restartMs);
    }
    clearInterval(deadline);
  }

  async #once(): Promise<void> {
    const notified = join(this.#options.runDir, "notify");
    await writeFile(notified, "");
    const log = await open(this.#options.logFile, "a");
    const child = spawn(join(this.#options.guardDir, "agent-launch"), [], {
      cwd: "/",
      env: { ...this.#environment(), NOTIFY_SOCKET: notified },
      stdio: ["ignore", log.fd, log.fd],
      detached: true,
    });
    this.#process = child;
    const ended = once(child, "exit");
    if (child.pid !== undefined) this.emit("started", child.pid);
    const tooLate = setTimeout(() => signalGroup(child.pid, "SIGKILL"), this.#options.timeoutStartMs);
    const watcher = watch(notified, () => {
      if (!/^READY=1$/m.test(readFileSync(notified, "utf8"))) return;
      clearTimeout(tooLate);
      watcher.close();
      if (child.pid !== undefined && child.exitCode === null) this.emit("ready", child.pid);
    });
    child.once("exit", () => this.emit("exited", Date.now()));
    const [code, signal] = (await ended) as [number | null, NodeJS.Signals | null];
    clearTimeout(tooLate);
    watcher.close();
    await this.#killLeftovers();
    await log.close();
    this.#process = undefined;
    this.emit("ended", code, signal);
  }

  async #guard(verb: "start" | "stop" | "deadline", env: Readonly<Record<string, string>>): Promise<void> {
    const log = await open(this.#options.logFile, "a");
    const child = spawn(join(this.#options.guardDir, "agent-guard"), [verb], {
      cwd: "/",
      env: { ...this.#environment(), ...env },
      stdio: ["ignore", log.fd, log.fd],
    });
    await once(child, "exit");
    await log.close();
  }

  /** Whatever the main process left behind ends with it, as the processes of a control group do. */
  async #killLeftovers(): Promise<void> {
    const mark = `BATON_SERVICE_MARK=${this.#mark}`;
    for (const name of await readdir("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      const environment = await readFile(`/proc/${name}/environ`, "utf8").catch(() => "");
      if (environment.split("\0").includes(mark)) kill(Number(name), "SIGKILL");
    }
  }

  #environment(): Record<string, string> {
    const { runDir, stateDir, node, env } = this.#options;
    return {
      PATH: `${join(runDir, "bin")}:${process.env.PATH ?? "/usr/bin:/bin"}`,
      BATON_STATE_DIR: stateDir,
      BATON_RUN_DIR: runDir,
      BATON_NODE: node,
      BATON_SERVICE_MARK: this.#mark,
      ...env,
    };
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid !== undefined) kill(-pid, signal);
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (cause) {
    // It has ended by itself: that is what was wanted.
    if ((cause as NodeJS.ErrnoException).code !== "ESRCH") throw cause;
  }
}
