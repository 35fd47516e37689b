import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { how, must, type Ran, type RunOptions, run } from "./command.ts";
import { type Container, startContainer } from "./container.ts";
import { type JournalEntry, type JournalQuery, readJournal, showJournal } from "./journal.ts";
import type { NodeDisk } from "./node-disk.ts";
import { pidOutside } from "./pid-outside.ts";
import { RenameStop } from "./rename-stop.ts";
import { parseUnitState, UNIT_PROPERTIES, type UnitState } from "./unit-state.ts";
import { until } from "./until.ts";

/** Environment of everything that the lab runs in a node: that of a fresh root login. */
const NODE_ENV = [
  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  "HOME=/root",
  "LANG=C.UTF-8",
  "TERM=dumb",
  "DEBIAN_FRONTEND=noninteractive",
];

/**
 * One machine of the lab: real systemd as process 1 in a container, over a copy of this machine's own files.
 * What a node writes survives `kill()` and `boot()`, as a disk does.
 */
export class Node {
  readonly name: string;
  readonly address: string;
  readonly disk: NodeDisk;
  #container: Container | undefined;
  #starting: Promise<Container> | undefined;
  #destroyed = false;

  constructor(name: string, address: string, disk: NodeDisk) {
    this.name = name;
    this.address = address;
    this.disk = disk;
  }

  get running(): boolean {
    return this.#container !== undefined;
  }

  /** Process 1 of the node, as the lab counts processes. */
  get leader(): number {
    return this.#running().leader;
  }

  /** Starts the machine and waits until it can be worked with. Gives the time that took, milliseconds. */
  async boot(): Promise<number> {
    if (this.#destroyed) throw new Error(`${this.name} is gone.`);
    if (this.#container !== undefined || this.#starting !== undefined)
      throw new Error(`${this.name} runs already.`);
    const started = performance.now();
    this.#starting = startContainer(this.name, this.disk);
    try {
      this.#container = await this.#starting;
    } finally {
      this.#starting = undefined;
    }
    return performance.now() - started;
  }

  /** An orderly shutdown: every unit is stopped. */
  async poweroff(): Promise<void> {
    const container = this.#running();
    this.#container = undefined;
    await container.poweroff();
  }

  /** The plug is pulled: every process of the node is killed in the same instant. */
  async kill(): Promise<void> {
    const container = this.#running();
    this.#container = undefined;
    await container.kill();
  }

  /** Ends the node in whatever state it is, also in the middle of a boot. May be called twice. */
  async destroy(): Promise<void> {
    this.#destroyed = true;
    await Promise.allSettled([this.#starting]);
    if (this.#container !== undefined) await this.kill();
    await this.disk.remove();
  }

  /** Runs a program in the node as root. Never rejects because of an exit status. */
  exec(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return run("nsenter", this.#enter(argv, options.env), options);
  }

  /** `exec` for what must succeed; gives stdout. */
  async must(argv: readonly string[], options: RunOptions = {}): Promise<string> {
    const ran = await this.exec(argv, options);
    if (ran.code === 0) return ran.stdout;
    throw new Error(`${this.name}: ${argv.join(" ")} ${how(ran)}\n${ran.stdout}${ran.stderr}`.trimEnd());
  }

  /** A shell script that must succeed; gives stdout. */
  sh(script: string, options: RunOptions = {}): Promise<string> {
    return this.must(["/bin/sh", "-euc", script], options);
  }

  /** Starts a program in the node and leaves it running; stdout and stderr are pipes. */
  start(argv: readonly string[]): ChildProcess {
    return spawn("nsenter", this.#enter(argv), { stdio: ["ignore", "pipe", "pipe"] });
  }

  /** Cuts the node off from all others. `heal` undoes it. */
  async partition(): Promise<void> {
    await must("ip", ["link", "set", `vb-${this.name}`, "down"]);
  }

  async heal(): Promise<void> {
    await must("ip", ["link", "set", `vb-${this.name}`, "up"]);
  }

  /** Stops the main process of a unit in its tracks; `resume` lets it go on. */
  async pause(unit: string): Promise<void> {
    await this.must(["systemctl", "kill", "--signal=SIGSTOP", "--kill-whom=main", unit]);
  }

  async resume(unit: string): Promise<void> {
    await this.must(["systemctl", "kill", "--signal=SIGCONT", "--kill-whom=main", unit]);
  }

  async systemctl(...args: readonly string[]): Promise<string> {
    return await this.must(["systemctl", ...args]);
  }

  /** What systemd says of a unit. */
  async unit(unit: string): Promise<UnitState> {
    return parseUnitState(await this.must(["systemctl", "show", `--property=${UNIT_PROPERTIES}`, unit]));
  }

  /**
   * Slows down the renames of a unit's main process, to kill the node right at one of them. Ends with the
   * process, or by `detach`.
   */
  async stopAtRenames(unit: string): Promise<RenameStop> {
    const { mainPid } = await this.unit(unit);
    return await RenameStop.attach(pidOutside(this.leader, mainPid), join(this.disk.directory, "renames"));
  }

  /** Waits until a unit is as the look wants it. */
  async untilUnit(
    unit: string,
    what: string,
    look: (state: UnitState) => boolean,
    timeoutMs = 30_000,
  ): Promise<UnitState> {
    let last: UnitState | undefined;
    const seen = async () => {
      last = await this.unit(unit);
      return look(last) ? last : undefined;
    };
    try {
      return await until(seen, { what: `${unit} on ${this.name}: ${what}`, timeoutMs });
    } catch (error) {
      throw new Error(`${unit} on ${this.name} is ${JSON.stringify(last)}`, { cause: error });
    }
  }

  /** The node's journal, read from outside; also works when the node is down. */
  journal(query: JournalQuery = {}): Promise<readonly JournalEntry[]> {
    return readJournal(this.disk.journalDir, query);
  }

  /** The journal as lines for people. */
  journalText(query: JournalQuery = {}): Promise<string> {
    return showJournal(this.disk.journalDir, query);
  }

  /** Waits until a message matches, and gives it. */
  async untilJournal(pattern: RegExp, query: JournalQuery = {}, timeoutMs = 30_000): Promise<JournalEntry> {
    const look = async () => (await this.journal(query)).find((entry) => pattern.test(entry.message));
    return await until(look, { what: `${String(pattern)} in the journal of ${this.name}`, timeoutMs });
  }

  /** Installs Debian packages from files of this machine, by the node's own dpkg. */
  async install(debs: readonly string[]): Promise<string> {
    const inside = debs.map((deb) => `/var/cache/lab/${basename(deb)}`);
    mkdirSync(this.outside("/var/cache/lab"), { recursive: true });
    for (const [i, deb] of debs.entries()) copyFileSync(deb, this.outside(inside[i] ?? deb));
    const printed = await this.must(["dpkg", "--install", ...inside], { timeoutMs: 120_000 });
    for (const path of inside) rmSync(this.outside(path));
    return printed;
  }

  /** Where a file of the node lies on this machine. Links in the path are not followed. */
  outside(path: string): string {
    return this.disk.outside(path);
  }

  exists(path: string): boolean {
    return existsSync(this.outside(path));
  }

  read(path: string): string {
    return readFileSync(this.outside(path), "utf8");
  }

  write(path: string, text: string, mode = 0o644): void {
    mkdirSync(dirname(this.outside(path)), { recursive: true });
    writeFileSync(this.outside(path), text, { mode });
  }

  /** What the node's console printed: systemd's own words when a boot goes wrong. */
  console(): string {
    const file = join(this.disk.directory, "console.log");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  #running(): Container {
    if (this.#container === undefined) throw new Error(`${this.name} is down.`);
    return this.#container;
  }

  #enter(argv: readonly string[], env: Readonly<Record<string, string>> = {}): string[] {
    const leader = String(this.#running().leader);
    const own = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    return [
      "--target",
      leader,
      "--all",
      "--wdns=/",
      "--",
      "env",
      "--ignore-environment",
      ...NODE_ENV,
      ...own,
      ...argv,
    ];
  }
}
