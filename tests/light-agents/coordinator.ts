/** One real coordinator: the program itself on SQLite, in a process of its own, killed and started as it comes. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Build } from "../../protocol/build.ts";
import { freePort } from "../harness/free-port.ts";
import { Publisher } from "../trust/publisher.ts";
import { descriptors, memoryMb, processorSeconds } from "./figures.ts";
import { publishFirst, publishTo } from "./publish.ts";

/** As `npm run build` makes it, and as it is installed. */
const MAIN = join(import.meta.dirname, "../../build/coordinator/coordinator.mjs");

export type Call = { readonly token?: string; readonly body?: unknown };

export class LoneCoordinator {
  readonly url: string;
  readonly #dir: string;
  readonly #publisher: Publisher;
  #process: ChildProcess | undefined;
  token = "";
  /** What nodes run at first. */
  first: Build = { version: "", buildHash: "" };

  /** Initialises its state, starts it, and publishes release 1.0.0. */
  static async start(dir: string, heartbeatMs: number): Promise<LoneCoordinator> {
    const coordinator = new LoneCoordinator(dir, await freePort());
    await coordinator.#init(heartbeatMs);
    return coordinator;
  }

  private constructor(dir: string, port: number) {
    this.#dir = dir;
    this.url = `http://127.0.0.1:${port}`;
    this.#publisher = Publisher.at(join(dir, "state"));
  }

  get logFile(): string {
    return join(this.#dir, "coordinator.log");
  }

  async #init(heartbeatMs: number): Promise<void> {
    const port = new URL(this.url).port;
    const settings = [
      `state_dir = "${join(this.#dir, "state")}"`,
      `public_url = "${this.url}"`,
      'log_level = "warn"',
      `[listen]\nport = ${port}`,
      `[timings]\nheartbeat_ms = ${heartbeatMs}`,
    ];
    await writeFile(join(this.#dir, "coordinator.toml"), settings.join("\n"));
    const tokenFile = join(this.#dir, "admin-token");
    const init = await this.#spawn(["init", "--token-file", tokenFile]);
    const [code] = (await once(init, "exit")) as [number | null];
    if (code !== 0) throw new Error(`coordinator init ended with ${code}; see ${this.logFile}`);
    this.token = (await readFile(tokenFile, "utf8")).trim();
    await this.#serve();
    this.first = await publishFirst(this.#publisher, (...asked) => this.call(...asked), "1.0.0");
  }

  publish(version: string): Promise<Build> {
    return publishTo(this.#publisher, (...asked) => this.call(...asked), version);
  }

  /** A call that must succeed. */
  async call<T>(method: string, path: string, { token = this.token, body }: Call = {}): Promise<T> {
    const isBytes = Buffer.isBuffer(body);
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined
          ? {}
          : { "content-type": isBytes ? "application/octet-stream" : "application/json" }),
      },
      ...(body === undefined ? {} : { body: isBytes ? new Uint8Array(body) : JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}: ${text}`);
    return (text === "" ? null : JSON.parse(text)) as T;
  }

  /** As a power cut would end it; it comes back over the same state, at the same address. */
  async crash(): Promise<void> {
    await this.#end("SIGKILL");
    await this.#serve();
  }

  /** As an operator would. */
  async restart(): Promise<void> {
    await this.#end("SIGTERM");
    await this.#serve();
  }

  stop = (): Promise<void> => this.#end("SIGTERM");

  memoryMb = (): Promise<number> => memoryMb(this.pid);
  processorSeconds = (): Promise<number> => processorSeconds(this.pid);
  descriptors = (): Promise<number> => descriptors(this.pid);

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#process?.exitCode === null && this.#process.signalCode === null;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#process === undefined || !this.isRunning) return;
    const ended = once(this.#process, "exit");
    this.#process.kill(signal);
    await ended;
  }

  async #serve(): Promise<void> {
    this.#process = await this.#spawn(["serve"]);
    const deadline = performance.now() + 60_000;
    while (performance.now() < deadline) {
      const answer = await fetch(`${this.url}/healthz`).catch(() => null);
      if (answer?.ok === true) return;
      await sleep(100);
    }
    throw new Error(`the coordinator does not answer after a minute; see ${this.logFile}`);
  }

  async #spawn(args: readonly string[]): Promise<ChildProcess> {
    const log = await open(this.logFile, "a");
    const config = ["--config", join(this.#dir, "coordinator.toml")];
    const child = spawn(process.execPath, [MAIN, ...config, ...args], { stdio: ["ignore", log.fd, log.fd] });
    await log.close();
    return child;
  }
}
