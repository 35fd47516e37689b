/**
 * The coordinator's configuration: read once, checked whole, before anything is opened. What is wrong is told
 * with file, line, key and what would be right; the caller exits with status 2.
 */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { err, ok, type Result } from "../protocol/result.ts";
import {
  readSettings,
  type SettingsFault,
  type SettingsProblem,
  settingsFault,
} from "../protocol/settings.ts";
import type { DurationMs } from "../protocol/time.ts";
import { isLoopback } from "./api/loopback.ts";
import { DAY_MS, type Retention } from "./service/retention.ts";
import { CoordinatorSettings } from "./settings.ts";
import { type PostgresAddress, readAddress } from "./store/postgres/address.ts";

const HOUR_MS: DurationMs = 3_600_000;

export const DEFAULT_CONFIG_FILE = "/etc/baton/coordinator.toml";

/** Everything that the coordinator is told, with paths resolved. */
export type Config = {
  readonly stateDir: string;
  readonly databaseFile: string;
  /** Where the database is instead; null for SQLite. */
  readonly postgres: PostgresAddress | null;
  /** TUF metadata and targets, as `/tuf/` serves them. */
  readonly repositoryDir: string;
  /** The snapshot and timestamp keys. */
  readonly keysDir: string;
  /** Where other coordinators reach this one; null: where it listens. */
  readonly advertise: string | null;
  readonly replicas: { readonly caFile: string | null; readonly serverName: string | null };
  /** Unix socket of the local operator, 0600. */
  readonly controlSocket: string;
  readonly publicUrl: string | null;
  readonly logLevel: CoordinatorSettings["logLevel"];
  readonly listen: { readonly address: string; readonly port: number; readonly insecureHttp: boolean };
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  readonly events: CoordinatorSettings["events"];
  readonly dashboard: { readonly signedInForMs: DurationMs };
  readonly webhooks: CoordinatorSettings["webhooks"];
  readonly timings: CoordinatorSettings["timings"];
  readonly retention: Retention;
  readonly metrics: {
    readonly isPublic: boolean;
    readonly listen: { readonly address: string; readonly port: number } | null;
  };
};

/** What the command line may say over the file. */
export type Overrides = {
  readonly stateDir?: string | undefined;
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  readonly insecureHttp?: boolean | undefined;
};

/**
 * Reads `file`, or `/etc/baton/coordinator.toml` when none is named; only the latter may be missing, and then all
 * are defaults. Error: `settings`, with every problem found.
 */
export async function loadConfig(
  file: string | undefined,
  overrides: Overrides = {},
): Promise<Result<Config, SettingsFault>> {
  const name = file ?? DEFAULT_CONFIG_FILE;
  const text = await readFile(name, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" && file === undefined) return "";
    return settingsFault([{ file: name, line: null, key: "", message: `cannot be read: ${error.message}.` }]);
  });
  return typeof text === "string" ? parseConfig(text, name, overrides) : err(text);
}

/** The configuration that `text` means. Pure. */
export function parseConfig(
  text: string,
  file: string,
  overrides: Overrides = {},
): Result<Config, SettingsFault> {
  const read = readSettings(CoordinatorSettings, text, file);
  if (!read.ok) return read;
  const { settings, lineOf } = read.value;
  const listen = {
    address: overrides.address ?? settings.listen.address,
    port: overrides.port ?? settings.listen.port,
    insecureHttp: overrides.insecureHttp ?? settings.listen.insecureHttp,
  };
  const stateDir = resolve(overrides.stateDir ?? settings.stateDir);
  const { certFile, keyFile } = settings.tls;
  const tls =
    certFile === undefined || keyFile === undefined
      ? null
      : { certFile: resolve(certFile), keyFile: resolve(keyFile) };

  const problems: SettingsProblem[] = [];
  const problem = (key: string, message: string) =>
    problems.push({ file, line: lineOf(key) ?? lineOf(key.split(".")[0] ?? ""), key, message });
  if ((certFile === undefined) !== (keyFile === undefined)) {
    const [given, missing] = certFile === undefined ? ["key_file", "cert_file"] : ["cert_file", "key_file"];
    problem(`tls.${given}`, `needs tls.${missing} beside it.`);
  }
  if (tls === null && !listen.insecureHttp && !isLoopback(listen.address)) {
    problem(
      "listen.address",
      `is ${JSON.stringify(listen.address)}, which others can reach, and without [tls] they could read every credential on the way. Set tls.cert_file and tls.key_file, or say insecure_http = true (--insecure-http).`,
    );
  }
  const metrics = settings.metrics.listen === undefined ? null : addressOf(settings.metrics.listen);
  if (metrics !== null && metrics.port > 65_535) problem("metrics.listen", "has a port beyond 65535.");
  const { url } = settings.database;
  const postgres = url === undefined ? null : readAddress(url);
  if (postgres?.ok === false) problem("database.url", postgres.error);
  if (url !== undefined && settings.database.file !== undefined)
    problem("database.file", "cannot be set beside database.url: the database is one or the other.");
  const { dir, keysDir } = settings.repository;
  for (const [key, value] of [
    ["dir", dir],
    ["keys_dir", keysDir],
  ] as const) {
    if (value !== undefined && url === undefined)
      problem(`repository.${key}`, "is for several coordinators, which need database.url (PostgreSQL).");
  }
  if (problems.length > 0) return err(settingsFault(problems));
  return ok({
    stateDir,
    databaseFile: resolve(stateDir, settings.database.file ?? "coordinator.db"),
    postgres: postgres?.ok === true ? postgres.value : null,
    repositoryDir: resolve(stateDir, dir ?? "repository"),
    keysDir: resolve(stateDir, keysDir ?? "keys"),
    advertise: settings.advertise?.replace(/\/+$/, "") ?? null,
    replicas: {
      caFile: settings.replicas.caFile === undefined ? null : resolve(settings.replicas.caFile),
      serverName: settings.replicas.serverName ?? null,
    },
    controlSocket: join(stateDir, "control.sock"),
    publicUrl: settings.publicUrl?.replace(/\/+$/, "") ?? null,
    logLevel: settings.logLevel,
    listen,
    tls,
    events: settings.events,
    dashboard: { signedInForMs: settings.dashboard.signInHours * HOUR_MS },
    webhooks: settings.webhooks,
    timings: settings.timings,
    retention: {
      jobs: settings.retention.jobsDays * DAY_MS,
      rollouts: settings.retention.rolloutsDays * DAY_MS,
      audit: settings.retention.auditDays * DAY_MS,
      alerts: settings.retention.alertsDays * DAY_MS,
      events: settings.retention.eventsDays * DAY_MS,
      deliveries: settings.retention.deliveriesDays * DAY_MS,
      bundles: settings.retention.bundlesDays * DAY_MS,
      maxEvents: settings.retention.maxEvents,
    },
    metrics: {
      isPublic: settings.metrics.public,
      listen: metrics,
    },
  });
}

/** `address:port`, the address in brackets when it is IPv6. */
function addressOf(text: string): { address: string; port: number } {
  const colon = text.lastIndexOf(":");
  return { address: text.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(text.slice(colon + 1)) };
}
