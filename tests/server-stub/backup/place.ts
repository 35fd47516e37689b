/** A state directory with a real coordinator on it, a publisher that it trusts, and the commands to speak to both. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type FSWatcher, watch } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import pino from "pino";
import { run } from "../../../server-stub/cli.ts";
import { type Config, parseConfig } from "../../../server-stub/config.ts";
import type { Repository } from "../../../server-stub/repository/repository.ts";
import { type Running, serve } from "../../../server-stub/serve.ts";
import type { GroupRecord } from "../../../server-stub/store/records.ts";
import { openSqliteStore } from "../../../server-stub/store/sqlite/open.ts";
import type { Store } from "../../../server-stub/store/store.ts";
import { Publisher } from "../../trust/publisher.ts";
import { GROUP } from "../store/records.ts";

const MAIN = join(import.meta.dirname, "../../../server-stub/main.ts");

export class Place {
  readonly publisher: Publisher;
  readonly config: Config;
  #running: Running | null = null;
  readonly #children: ChildProcess[] = [];

  static async make(...released: string[]): Promise<Place> {
    const publisher = await Publisher.make();
    publisher.now = Date.now();
    const place = new Place(publisher);
    await place.run("init");
    if (released.length > 0) await publisher.ready(...released);
    return place;
  }

  private constructor(publisher: Publisher) {
    this.publisher = publisher;
    const config = parseConfig("", "test.toml", { stateDir: publisher.dir, port: 0 });
    if (!config.ok) throw new Error(config.error.message);
    this.config = config.value;
  }

  get dir(): string {
    return this.publisher.dir;
  }

  get url(): string {
    if (this.#running === null) throw new Error("the coordinator is down");
    return this.#running.url;
  }

  at(...path: string[]): string {
    return join(this.dir, ...path);
  }

  /** `coordinator` with a command, in this process. */
  async run(...argv: string[]): Promise<{ status: number; said: string }> {
    const said: string[] = [];
    const take = (text: string) => void said.push(text);
    const world = { print: take, say: take, becomeOwnerOf: async () => undefined };
    const status = await run(world, ["--state-dir", this.dir, ...argv]);
    return { status, said: said.join("\n") };
  }

  /** The same in a process of its own. */
  spawn(...argv: string[]): ChildProcess {
    const child = spawn(process.execPath, [MAIN, "--state-dir", this.dir, ...argv], { stdio: "ignore" });
    this.#children.push(child);
    return child;
  }

  async start(): Promise<void> {
    const running = await serve(this.config, pino({ level: "silent" }));
    if (!running.ok) throw new Error(running.error.message);
    this.#running = running.value;
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = null;
  }

  /** Publishes on the stopped coordinator's repository. */
  async publish(version: string): Promise<void> {
    const published = await this.publisher.publish(await this.publisher.open(), version);
    if (!published.ok) throw new Error(published.error.message);
  }

  repository(): Promise<Repository> {
    return this.publisher.open();
  }

  /** What the database holds while nobody uses it. */
  async stored<T>(look: (store: Store) => Promise<T>): Promise<T> {
    const store = await openSqliteStore(this.config.databaseFile);
    if (!store.ok) throw new Error(store.error.message);
    try {
      return await look(store.value);
    } finally {
      await store.value.close();
    }
  }

  addGroup(name: string): Promise<unknown> {
    const value: GroupRecord = { ...GROUP, name };
    return this.stored((store) => store.apply([{ kind: "group", value, expected: 0 }]));
  }

  groups(): Promise<string[]> {
    return this.stored(async (store) => (await store.groups()).map(({ value }) => value.name));
  }

  /** Names in the state directory that a backup or a restore has left behind. */
  async leftovers(): Promise<string[]> {
    return (await readdir(this.dir)).filter((name) => /^\.(backup|restore)|^restore\.json$/.test(name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
    }
    await this.stop();
    await this.publisher.remove();
  }
}

/** Resolves when `fits` holds of the names in a directory, now or after one of its changes. */
export async function namesFit(dir: string, fits: (names: readonly string[]) => boolean): Promise<void> {
  const changed = Promise.withResolvers<void>();
  const watcher: FSWatcher = watch(dir);
  const look = async (): Promise<void> => {
    if (fits(await readdir(dir))) changed.resolve();
  };
  watcher.on("change", () => void look().catch(changed.reject));
  try {
    await look();
    await changed.promise;
  } finally {
    watcher.close();
  }
}
