/** A primary and a standby that every write waits for, each coordinator's ways to them, and what becomes of both. */
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type PostgresServer, startPostgres, startStandby } from "../harness/postgres/server.ts";
import { startTcpProxy, type TcpProxy } from "../harness/tcp-proxy.ts";

export class Database {
  #servers: [PostgresServer, PostgresServer];
  /** Of each coordinator, to the first and the second server. */
  readonly ways: (readonly [TcpProxy, TcpProxy])[] = [];
  #primary: 0 | 1 = 0;

  static async start(coordinators: number): Promise<Database> {
    const primary = await startPostgres();
    await primary.sql("create database baton");
    const standby = await startStandby(primary);
    const database = new Database([primary, standby]);
    await database.#waitForStandby();
    for (let at = 0; at < coordinators; at += 1) {
      const [first, second] = database.#servers;
      database.ways.push([await startTcpProxy(socketOf(first)), await startTcpProxy(socketOf(second))]);
    }
    return database;
  }

  private constructor(servers: [PostgresServer, PostgresServer]) {
    this.#servers = servers;
  }

  get primary(): PostgresServer {
    return this.#servers[this.#primary];
  }

  urlFor(coordinator: number): string {
    const hosts = this.ways[coordinator]?.map(({ port }) => `127.0.0.1:${port}`) ?? [];
    return `postgres://postgres@${hosts.join(",")}/baton`;
  }

  /** Where whoever has the seat is reached; null when nobody has taken it yet. */
  async seat(): Promise<string | null> {
    const [row] = await this.primary.sql("select body from meta", "baton");
    const meta = JSON.parse(typeof row?.body === "string" ? row.body : "{}") as {
      seat?: { address?: string };
    };
    return meta.seat?.address ?? null;
  }

  /** The primary is gone at once, and after a while the standby takes its place. */
  async failOver(afterMs: number): Promise<void> {
    const lost = this.primary;
    const gone = once(lost.process, "exit");
    lost.process.kill("SIGKILL");
    await gone;
    await sleep(afterMs);
    this.#primary = this.#primary === 0 ? 1 : 0;
    await this.primary.sql("select pg_promote()");
  }

  /** A new standby in the place of the server that was lost; from then on writes wait for it. */
  async mend(): Promise<void> {
    const at = this.#primary === 0 ? 1 : 0;
    await this.#servers[at].stop();
    this.#servers[at] = await startStandby(this.primary);
    for (const way of this.ways) way[at].lead(socketOf(this.#servers[at]));
    await this.#waitForStandby();
  }

  async #waitForStandby(): Promise<void> {
    await this.primary.sql("alter system set synchronous_standby_names = '*'");
    await this.primary.sql("select pg_reload_conf()");
    for (let looks = 0; looks < 300; looks += 1) {
      const states = await this.primary.sql("select sync_state from pg_stat_replication");
      if (states.some(({ sync_state }) => sync_state === "sync" || sync_state === "quorum")) return;
      await sleep(100);
    }
    throw new Error("the standby does not follow synchronously after half a minute");
  }

  async stop(): Promise<void> {
    await Promise.all(this.ways.flat().map((way) => way.close()));
    await Promise.all(this.#servers.map((server) => server.stop()));
  }
}

const socketOf = ({ dir }: PostgresServer) => ({ path: join(dir, ".s.PGSQL.5432") });
