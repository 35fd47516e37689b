/** Three coordinators as they are installed, over one database and one repository, behind a small balancer. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Build } from "../../protocol/build.ts";
import { freePort } from "../harness/free-port.ts";
import { startTcpProxy, type TcpProxy } from "../harness/tcp-proxy.ts";
import { publishFirst, publishTo } from "../light-agents/publish.ts";
import { Publisher } from "../trust/publisher.ts";
import type { Database } from "./database.ts";

const MAIN = join(import.meta.dirname, "../../build/coordinator/coordinator.mjs");

/** Between two looks of the balancer at each coordinator, and how long one may take to answer. */
const LOOK = { everyMs: 250, timeoutMs: 1_000 };
/** How long a call that is answered by 503, or by nothing, is tried again. */
const PATIENCE_MS = 30_000;

type One = { readonly url: string; readonly dir: string; process: ChildProcess | null; isUp: boolean };

export class Coordinators {
  readonly #dir: string;
  readonly #database: Database;
  readonly all: One[] = [];
  front!: TcpProxy;
  token = "";
  first: Build = { version: "", buildHash: "" };
  readonly #publisher: Publisher;
  readonly #looking: NodeJS.Timeout;
  #next = 0;

  static async start(dir: string, database: Database, heartbeatMs: number): Promise<Coordinators> {
    const coordinators = new Coordinators(dir, database);
    try {
      await coordinators.#begin(heartbeatMs);
    } catch (error) {
      await coordinators.stop();
      throw error;
    }
    return coordinators;
  }

  private constructor(dir: string, database: Database) {
    this.#dir = dir;
    this.#database = database;
    this.#publisher = Publisher.at(join(dir, "shared"));
    this.#looking = setInterval(() => void this.#look(), LOOK.everyMs);
  }

  get url(): string {
    return `http://127.0.0.1:${this.front.port}`;
  }

  async #begin(heartbeatMs: number): Promise<void> {
    for (const at of this.#database.ways.keys()) {
      const dir = join(this.#dir, `coordinator-${at}`);
      await mkdir(dir, { recursive: true });
      const port = await freePort();
      this.all.push({ url: `http://127.0.0.1:${port}`, dir, process: null, isUp: false });
      const settings = [
        `state_dir = "${join(dir, "state")}"`,
        `log_level = "info"`,
        `database = "${this.#database.urlFor(at)}"`,
        `advertise = "http://127.0.0.1:${port}"`,
        `[listen]\nport = ${port}`,
        `[repository]\ndir = "${join(this.#dir, "shared/repository")}"\nkeys_dir = "${join(this.#dir, "shared/keys")}"`,
        `[timings]\nheartbeat_ms = ${heartbeatMs}`,
      ];
      await writeFile(join(dir, "coordinator.toml"), settings.join("\n"));
    }
    const tokenFile = join(this.#dir, "admin-token");
    const [code] = (await once(await this.#spawn(0, ["init", "--token-file", tokenFile]), "exit")) as [
      number,
    ];
    if (code !== 0) throw new Error(`coordinator init ended with ${code}:\n${await this.logs()}`);
    this.token = (await readFile(tokenFile, "utf8")).trim();
    this.front = await startTcpProxy(() => this.#nextUp());
    for (const at of this.all.keys()) await this.serve(at);
    this.first = await publishFirst(this.#publisher, (...asked) => this.call(...asked), "1.0.0");
  }

  publish(version: string): Promise<Build> {
    return publishTo(this.#publisher, (...asked) => this.call(...asked), version);
  }

  /** Which one has the seat. */
  async holder(): Promise<number> {
    const address = await this.#database.seat();
    const at = this.all.findIndex(({ url }) => url === address);
    if (at === -1) throw new Error(`the seat is at ${address}, which is nobody's address`);
    return at;
  }

  /** Starts it and waits until it answers. */
  async serve(at: number): Promise<void> {
    const one = this.#one(at);
    one.process = await this.#spawn(at, ["serve"]);
    for (let looks = 0; looks < 300; looks += 1) {
      if (await answers(one.url)) return;
      if (one.process.exitCode !== null) break;
      await sleep(100);
    }
    throw new Error(`coordinator ${at} does not answer:\n${(await this.logs()).slice(-4_000)}`);
  }

  signal(at: number, signal: NodeJS.Signals): void {
    this.#one(at).process?.kill(signal);
  }

  /** Resolves when its process has ended. */
  async gone(at: number): Promise<void> {
    const { process } = this.#one(at);
    if (process !== null && process.exitCode === null && process.signalCode === null)
      await once(process, "exit");
  }

  isRunning(at: number): boolean {
    const { process } = this.#one(at);
    return process !== null && process.exitCode === null && process.signalCode === null;
  }

  /** A call that succeeds in the end: `unavailable`, and no answer at all, are tried again, as a person would. */
  async call<T>(method: string, path: string, more: { readonly body?: unknown } = {}): Promise<T> {
    const deadline = performance.now() + PATIENCE_MS;
    const key = crypto.randomUUID();
    for (;;) {
      try {
        const { status, text } = await this.ask(method, path, more.body, key);
        if (status >= 200 && status < 300) return (text === "" ? null : JSON.parse(text)) as T;
        if (status !== 503 || performance.now() > deadline)
          throw new Refused(`${method} ${path} was answered with ${status}: ${text}`);
      } catch (error) {
        if (error instanceof Refused || performance.now() > deadline) throw error;
      }
      await sleep(200);
    }
  }

  /** One request through the balancer, over a connection of its own. Rejects when there is no answer in time. */
  async ask(
    method: string,
    path: string,
    body: unknown,
    key: string,
  ): Promise<{ status: number; text: string }> {
    const isBytes = Buffer.isBuffer(body);
    const content = isBytes ? "application/octet-stream" : "application/json";
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        connection: "close",
        ...(method === "POST" ? { "idempotency-key": key } : {}),
        ...(body === undefined ? {} : { "content-type": content }),
      },
      signal: AbortSignal.timeout(10_000),
      ...(body === undefined ? {} : { body: isBytes ? new Uint8Array(body) : JSON.stringify(body) }),
    });
    return { status: answer.status, text: await answer.text() };
  }

  async logs(): Promise<string> {
    const texts = this.all.map(
      async ({ dir }) => `${dir}\n${await readFile(join(dir, "log"), "utf8").catch(() => "")}`,
    );
    return (await Promise.all(texts)).join("\n");
  }

  async stop(): Promise<void> {
    clearInterval(this.#looking);
    for (const { process } of this.all) {
      if (process === null || process.exitCode !== null || process.signalCode !== null) continue;
      const ended = once(process, "exit");
      process.kill("SIGCONT");
      process.kill("SIGKILL");
      await ended;
    }
    await this.front?.close();
  }

  /** The next in turn of those that answered the last look; or any, when none did. */
  #nextUp() {
    const up = this.all.filter(({ isUp }) => isUp);
    const among = up.length > 0 ? up : this.all;
    this.#next += 1;
    const { port, hostname } = new URL(among[this.#next % among.length]?.url ?? this.url);
    return { host: hostname, port: Number(port) };
  }

  async #look(): Promise<void> {
    await Promise.all(
      this.all.map(async (one) => {
        one.isUp = await answers(one.url);
      }),
    );
  }

  #one(at: number): One {
    const one = this.all[at];
    if (one === undefined) throw new Error(`there is no coordinator ${at}`);
    return one;
  }

  async #spawn(at: number, args: readonly string[]): Promise<ChildProcess> {
    const { dir } = this.#one(at);
    const log = await open(join(dir, "log"), "a");
    const config = ["--config", join(dir, "coordinator.toml")];
    const child = spawn(process.execPath, [MAIN, ...config, ...args], { stdio: ["ignore", log.fd, log.fd] });
    await log.close();
    return child;
  }
}

/** The answer to a call was no. */
class Refused extends Error {}

const answers = async (url: string): Promise<boolean> => {
  const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(LOOK.timeoutMs) }).catch(
    () => null,
  );
  return answer?.ok === true;
};
