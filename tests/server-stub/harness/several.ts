/** Several real coordinators on one PostgreSQL database and one repository, in this process. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { init } from "../../../server-stub/commands/init.ts";
import { type Config, parseConfig } from "../../../server-stub/config.ts";
import { type Running, serve } from "../../../server-stub/serve.ts";
import { freshDatabase } from "../../harness/postgres/of-this-run.ts";
import { callAt, type TestCoordinator } from "./coordinator.ts";
import { listeningLog } from "./listening-log.ts";

export type OneOfSeveral = Running &
  Pick<TestCoordinator, "call"> & {
    readonly config: Config;
    readonly logged: readonly Record<string, unknown>[];
    heard(fits: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
  };

export type Several = {
  readonly database: string;
  readonly adminToken: string;
  readonly dir: string;
  /** Starts one more; its name is that of its directory. */
  start(name: string, settings?: string): Promise<OneOfSeveral>;
  [Symbol.asyncDispose](): Promise<void>;
};

const TIMINGS = `
[timings]
heartbeat_ms = 200
offline_after_missed = 100
reservation_ms = 2000
act_within_ms = 1000
drain_ms = 0
tick_ms = 50
`;

export async function severalCoordinators(): Promise<Several> {
  const dir = await mkdtemp(join(tmpdir(), "baton-several-"));
  const database = await freshDatabase();
  const running = new Set<Running>();
  const configOf = (name: string, settings = "") => {
    const shared = `[repository]\ndir = "${join(dir, "repository")}"\nkeys_dir = "${join(dir, "keys")}"\n`;
    const text = `database = "${database}"\n${settings}\n${shared}${TIMINGS}`;
    const parsed = parseConfig(text, "test.toml", { stateDir: join(dir, name), port: 0 });
    if (!parsed.ok) throw new Error(parsed.error.message);
    return parsed.value;
  };
  const tokenFile = join(dir, "admin.token");
  await init(configOf("first"), tokenFile);
  const adminToken = (await readFile(tokenFile, "utf8")).trim();
  return {
    database,
    dir,
    adminToken,
    start: async (name, settings) => {
      const { log, logged, heard } = listeningLog();
      const config = configOf(name, settings);
      await init(config, tokenFile);
      const started = await serve(config, log);
      if (!started.ok) throw new Error(started.error.message);
      running.add(started.value);
      return { ...started.value, config, logged, heard, call: callAt(() => started.value.url, adminToken) };
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...running].map((each) => each.stop()));
      await rm(dir, { recursive: true });
    },
  };
}
