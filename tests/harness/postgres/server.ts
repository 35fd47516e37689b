/** A PostgreSQL server of the tests' own, on a unix socket in a directory of its own, gone when they are done. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";

export type PostgresServer = {
  readonly dir: string;
  /** Of a database on it, which may not be there yet. */
  readonly url: (database: string) => string;
  /** As the superuser, in the database `postgres` or another. */
  readonly sql: (text: string, database?: string) => Promise<readonly Record<string, unknown>[]>;
  readonly process: ChildProcess;
  readonly stop: () => Promise<void>;
};

type Options = {
  /** Lines of `postgresql.conf`. */
  readonly settings?: readonly string[];
  /** Port on loopback; only the socket without one. */
  readonly port?: number;
};

/** Nothing that these servers hold is worth a wait for the disk. */
const QUICK = ["fsync = off", "full_page_writes = off", "shared_buffers = 32MB", "max_connections = 200"];

/** Makes a cluster and starts it. Throws, and says what to do, where PostgreSQL is not installed. */
export async function startPostgres(options: Options = {}): Promise<PostgresServer> {
  const dir = await mkdtemp(join(tmpdir(), "baton-postgres-"));
  await chmod(dir, 0o755);
  const data = join(dir, "data");
  const user = await runner();
  try {
    await own(dir, user);
    const init = ["-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "--no-instructions"];
    await promisify(execFile)(program("initdb"), [...init, "--locale=C", "--encoding=UTF8"], user);
    return await runPostgres(dir, data, options);
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

/** A standby that follows `primary`, by a copy of what that has now. */
export async function startStandby(primary: PostgresServer, options: Options = {}): Promise<PostgresServer> {
  const dir = await mkdtemp(join(tmpdir(), "baton-standby-"));
  await chmod(dir, 0o755);
  const data = join(dir, "data");
  const user = await runner();
  try {
    await own(dir, user);
    const from = ["-h", primary.dir, "-U", "postgres", "-D", data, "-R", "--checkpoint=fast", "--no-sync"];
    await promisify(execFile)(program("pg_basebackup"), from, user);
    return await runPostgres(dir, data, options);
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

/** Starts a server on a cluster that is there: after a crash, or as a standby. `stop` removes `dir`. */
export async function runPostgres(
  dir: string,
  data: string,
  { settings = [], port }: Options = {},
): Promise<PostgresServer> {
  const args = [...QUICK, ...settings].flatMap((line) => ["-c", line.replaceAll(" = ", "=")]);
  const where =
    port === undefined ? ["-c", "listen_addresses="] : ["-c", "listen_addresses=127.0.0.1", "-p", `${port}`];
  const server = spawn(program("postgres"), ["-D", data, "-k", dir, ...where, ...args], {
    ...(await runner()),
    stdio: ["ignore", "ignore", "pipe"],
  });
  await saysReady(server);
  const host = encodeURIComponent(dir);
  const url = (database: string) =>
    port === undefined
      ? `postgres://postgres@/${database}?host=${host}`
      : `postgres://postgres@127.0.0.1:${port}/${database}`;
  return {
    dir,
    url,
    process: server,
    sql: async (text, database = "postgres") => {
      const client = new Client({ connectionString: url(database) });
      await client.connect();
      try {
        return (await client.query<Record<string, unknown>>(text)).rows;
      } finally {
        await client.end();
      }
    },
    stop: async () => {
      if (server.exitCode === null && server.signalCode === null) {
        const gone = once(server, "exit");
        server.kill("SIGCONT");
        // Does not wait for those who are connected, nor for the disk: nobody will read it again.
        server.kill("SIGQUIT");
        await gone;
      }
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Where Debian puts the programs of a server, newest first, and where others do. */
export function program(name: "initdb" | "postgres" | "pg_basebackup"): string {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const places = [
    ...versions.map((version) => join(debian, version, "bin")),
    ...(process.env.PATH ?? "").split(":"),
  ];
  const found = places.map((place) => join(place, name)).find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new Error(
    `PostgreSQL's ${name} is not installed, and what runs on it is never skipped. Install it: apt-get install postgresql`,
  );
}

type RunAs = { readonly uid?: number; readonly gid?: number };

/** PostgreSQL refuses to run as root: then as the user that its package makes. */
async function runner(): Promise<RunAs> {
  if (process.getuid?.() !== 0) return {};
  const { stdout } = await promisify(execFile)("getent", ["passwd", "postgres"]);
  const [, , uid, gid] = stdout.split(":");
  return { uid: Number(uid), gid: Number(gid) };
}

const own = async (path: string, { uid, gid }: RunAs): Promise<unknown> =>
  uid === undefined ? undefined : promisify(execFile)("chown", [`${uid}:${gid}`, path]);

async function saysReady(server: ChildProcess): Promise<void> {
  const ready = Promise.withResolvers<void>();
  let said = "";
  server.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = `${said}${text}`.slice(-4_000);
    if (said.includes("ready to accept")) ready.resolve();
  });
  server.once("error", ready.reject);
  server.once("exit", () => ready.reject(new Error(`PostgreSQL did not start: ${said}`)));
  await ready.promise;
}
