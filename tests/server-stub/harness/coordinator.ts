/** A real coordinator on a free port of loopback, over a state directory of its own, for a test to speak to. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { init } from "../../../server-stub/commands/init.ts";
import { type Config, parseConfig } from "../../../server-stub/config.ts";
import { type Running, serve } from "../../../server-stub/serve.ts";
import { listeningLog } from "./listening-log.ts";

export type TestCoordinator = {
  readonly config: Config;
  readonly url: string;
  readonly adminToken: string;
  /** What was logged so far. */
  readonly logged: readonly Record<string, unknown>[];
  /** The first line that fits, now or as soon as it comes. */
  heard(fits: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** Ends the coordinator, and starts it again at the same address over the same state, after `meanwhile`. */
  restart(meanwhile?: () => Promise<unknown>): Promise<void>;
  stop(): Promise<void>;
};

export type CallOptions = {
  readonly token?: string | null;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
};
export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
};

const TIMINGS = `
[timings]
heartbeat_ms = 200
reservation_ms = 2000
act_within_ms = 1000
drain_ms = 0
probation_ms = 10000
inconclusive_after_ms = 500
tick_ms = 20
`;

export async function startCoordinator(
  settings = "",
  options: Parameters<typeof serve>[3] = {},
): Promise<TestCoordinator> {
  const stateDir = await mkdtemp(join(tmpdir(), "baton-c-"));
  const parsed = parseConfig(`${settings}\n${TIMINGS}`, "test.toml", { stateDir, port: 0 });
  if (!parsed.ok) {
    await rm(stateDir, { recursive: true });
    throw new Error(parsed.error.message);
  }
  const config = parsed.value;
  const tokenFile = join(stateDir, "admin.token");
  await init(config, tokenFile);
  const adminToken = (await readFile(tokenFile, "utf8")).trim();
  const { log, logged, heard } = listeningLog();
  const start = async (port: number): Promise<Running> => {
    const running = await serve({ ...config, listen: { ...config.listen, port } }, log, undefined, options);
    if (!running.ok) throw new Error(running.error.message);
    return running.value;
  };
  let running = await start(0);
  return {
    config,
    get url() {
      return running.url;
    },
    adminToken,
    logged,
    heard,
    call: callAt(() => running.url, adminToken),
    restart: async (meanwhile) => {
      const port = Number(new URL(running.url).port);
      await running.stop();
      await meanwhile?.();
      running = await start(port);
    },
    stop: async () => {
      await running.stop();
      await rm(stateDir, { recursive: true });
    },
  };
}

/** Asks whoever is at `url` at the moment, as an administrator unless told otherwise. */
export const callAt =
  (url: () => string, adminToken: string): TestCoordinator["call"] =>
  async (method, path, { token = adminToken, body, headers = {} } = {}) => {
    const response = await fetch(`${url()}${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: isJson(response.headers) && text !== "" ? (JSON.parse(text) as Record<string, unknown>) : {},
    };
  };

const isJson = (headers: Headers): boolean => /[/+]json\b/.test(headers.get("content-type") ?? "");
