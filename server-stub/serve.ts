/** A running coordinator: its doors open, its engine ticking, until it is stopped. */
import { chmod, rm } from "node:fs/promises";
import type { Server as TlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";
import { FaultError, ok, type Result } from "../protocol/result.ts";
import type { Clock, DurationMs } from "../protocol/time.ts";
import { joinOthers } from "./among.ts";
import { identifyAsLocal, identifyByBearer, identifyBySignIn } from "./api/authorize.ts";
import { readDashboard } from "./api/dashboard/files.ts";
import { createApi } from "./api/server.ts";
import { assemble } from "./assemble.ts";
import { createCertificate, type TlsPair } from "./certificate.ts";
import { systemClock } from "./clock.ts";
import type { Config } from "./config.ts";
import { createLiveDoor } from "./live/door.ts";
import { listenForScrapes, type MetricsListener } from "./metrics/listener.ts";
import type { Metrics } from "./metrics/metrics.ts";
import { createReplicationWatch } from "./replication-watch.ts";
import type { Replica } from "./service/replica.ts";
import type { OpenFault } from "./store/faults.ts";
import { startEngine } from "./timer.ts";

export type Running = {
  /** Where it listens, with the port that it got. */
  readonly url: string;
  /** Where metrics are told without a token; null unless the settings name an address. */
  readonly metricsUrl: string | null;
  /** Takes nothing new, says 1001 to the sessions, finishes what is under way. May be called again. */
  stop(): Promise<void>;
  /** Reads the certificate again. The old one stays when the new one cannot be used. */
  reloadTls(): Promise<void>;
  /** Takes the certificate that is in the files, if it is another one. A timer calls it; it never rejects. */
  lookAtTls(): Promise<void>;
  /**
   * Resolves when the database has failed over: nothing more is written, and it is to be stopped and begun anew.
   * Never, where that cannot be.
   */
  readonly failedOver: Promise<Error>;
};

/** A renewed certificate is in use within this time, without anybody being told. */
const LOOK_AT_TLS_MS: DurationMs = 60_000;

const LOOK_AT_STANDBYS_MS: DurationMs = 60_000;

/**
 * Connections that may wait to be let in: a whole fleet comes back at once. What is over it the kernel drops, and the
 * agent tries again only seconds later; `net.core.somaxconn` holds it down where it is lower.
 */
const BACKLOG = 4_096;

/** How long what is under way may hold up giving up the seat. */
const SEAT_WITHIN_MS = 1_000;

/** How long a request that is under way, such as an upload, may hold up the end. */
const STOP_WITHIN_MS = 10_000;

/**
 * Opens the database, the repository and the doors. Errors: those of opening the database.
 * Throws `FaultError` `listen` when the address or the certificate cannot be used.
 */
export async function serve(
  config: Config,
  log: FastifyBaseLogger,
  clock: Clock = systemClock,
  options: { readonly ofProcess?: boolean; readonly dashboardDirs?: readonly string[] } = {},
): Promise<Result<Running, OpenFault>> {
  const several = await joinOthers(config, log);
  const among = several === null ? {} : { among: several.among };
  const assembled = await assemble(config, log, clock, { ...options, ...among });
  if (!assembled.ok) return assembled;
  const { coordinator, replica, doors, metrics, database, close } = assembled.value;
  let url = "";
  const open: { close(): PromiseLike<unknown> }[] = [];
  try {
    const identify = identifyByBearer((secret, from) => coordinator.access.authenticate(secret, from));
    const publicUrl = () => config.publicUrl ?? url;
    const certificate = config.tls === null ? null : createCertificate(config.tls);
    const tls = certificate === null ? null : await certificate.read();
    const scoped = doors.scope === undefined ? {} : { scope: doors.scope };
    const bySignIn = identifyBySignIn(coordinator.signIns, publicUrl, identify);
    const identifyAll = several?.identifying(bySignIn) ?? bySignIn;
    const from = several === null ? {} : { fromOf: several.origins.fromOf };
    const dashboard = await readDashboard(options.dashboardDirs ?? []);
    const atNet = several === null ? {} : { ahead: several.door.request, origins: several.origins };
    const api = createApi({ ...doors, identify: identifyAll, publicUrl, tls, dashboard, ...atNet });
    const live = createLiveDoor({ sessions: coordinator.sessions, identify, log, ...scoped, ...from });
    api.server.on("upgrade", (request, socket, head) => {
      if (several?.door.upgrade(request, socket, head) !== true) live.upgrade(request, socket, head);
    });
    const atHand = several === null ? {} : { ahead: several.localDoor.request };
    const control = createApi({ ...doors, identify: identifyAsLocal, publicUrl, ...atHand });
    await listenLocally(control, config.controlSocket);
    open.push(control);
    url = await listen(api, config);
    open.push(api);
    const scrapes = await listenForMetrics(config, metrics, log);
    if (scrapes !== null) open.push(scrapes);
    const engine = startEngine(
      () => coordinator.tick(),
      config.timings.tickMs,
      (error) => log.error({ err: error }, "unforeseen error in the engine"),
    );
    if (replica !== null) await several?.begin(replica, url, live.sendAway);
    const use = (pair: TlsPair | null): void => {
      if (pair === null) return;
      (api.server as unknown as TlsServer).setSecureContext(pair);
      log.info({ certFile: config.tls?.certFile }, "certificate read again");
    };
    const lookAtTls = async (): Promise<void> => {
      try {
        use((await certificate?.readIfChanged()) ?? null);
      } catch (error) {
        log.error({ err: error }, "the certificate on the disk cannot be used; the one of before stays");
      }
    };
    const looking = startEngine(lookAtTls, LOOK_AT_TLS_MS, () => undefined);
    const watchReplication =
      database === null
        ? () => Promise.resolve()
        : createReplicationWatch({ replication: () => database.replication(), metrics, log });
    const watching = startEngine(watchReplication, LOOK_AT_STANDBYS_MS, () => undefined);
    log.info({ url, stateDir: config.stateDir, metrics: scrapes?.url }, "listening");

    let stopping: Promise<void> | undefined;
    const stop = async (): Promise<void> => {
      log.info({}, "stopping");
      // Listening ends with the first `close`; sessions are told meanwhile, and the engine's tick ends.
      const impatient = setTimeout(() => api.server.closeAllConnections(), STOP_WITHIN_MS);
      several?.hangUp();
      const doorsOpen = Promise.all([api.close(), control.close(), live.close(), scrapes?.close()]);
      await Promise.all([engine.stop(), looking.stop(), watching.stop(), several?.end()]);
      if (replica !== null) {
        // Others wait for the seat: what is under way has a moment to end in it.
        await Promise.race([doorsOpen, sleep(SEAT_WITHIN_MS, undefined, { ref: false })]);
        await giveUpSeat(replica, log);
      }
      await doorsOpen;
      clearTimeout(impatient);
      await several?.close();
      await close();
      log.info({}, "stopped");
    };
    return ok({
      url,
      metricsUrl: scrapes?.url ?? null,
      stop: () => {
        stopping ??= stop();
        return stopping;
      },
      reloadTls: async () => use((await certificate?.read()) ?? null),
      lookAtTls,
      failedOver: database?.failedOver ?? Promise.withResolvers<never>().promise,
    });
  } catch (error) {
    await several?.end();
    await Promise.all(open.map((each) => each.close()));
    await close();
    await several?.close();
    throw error;
  }
}

/** A database that is away gives the seat to somebody else by itself. */
async function giveUpSeat(replica: Replica, log: FastifyBaseLogger): Promise<void> {
  try {
    await replica.close();
  } catch (error) {
    log.warn({ err: error }, "the seat was left, and not everything was noted");
  }
}

async function listen(api: FastifyInstance, { listen: { address, port }, tls }: Config): Promise<string> {
  try {
    await api.listen({ host: address, port, backlog: BACKLOG });
  } catch (cause) {
    throw new FaultError(
      {
        code: "listen",
        message: `The coordinator cannot listen on ${address}, port ${port}: ${messageOf(cause)}.`,
        hint: "Look at [listen] in the configuration, and whether something else listens there.",
      },
      { cause },
    );
  }
  const bound = api.server.address() as AddressInfo;
  const host = bound.family === "IPv6" ? `[${bound.address}]` : bound.address;
  return `${tls === null ? "http" : "https"}://${host}:${bound.port}`;
}

async function listenForMetrics(
  { metrics: { listen: at } }: Config,
  metrics: Metrics,
  log: FastifyBaseLogger,
): Promise<MetricsListener | null> {
  if (at === null) return null;
  try {
    return await listenForScrapes(at, metrics, log);
  } catch (cause) {
    throw new FaultError(
      {
        code: "listen",
        message: `The coordinator cannot tell its metrics on ${at.address}, port ${at.port}: ${messageOf(cause)}.`,
        hint: "Look at [metrics] in the configuration, and whether something else listens there.",
      },
      { cause },
    );
  }
}

/** Only the owner of the state directory may speak to it. What a crash left there is of nobody: the database is ours. */
async function listenLocally(control: FastifyInstance, path: string): Promise<void> {
  await rm(path, { force: true });
  const before = process.umask(0o177);
  try {
    await control.listen({ path });
    await chmod(path, 0o600);
  } finally {
    process.umask(before);
  }
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
