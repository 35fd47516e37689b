/** The coordinator put together over its state directory, without any door yet. */
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyBaseLogger } from "fastify";
import { PRODUCT_VERSION } from "../protocol/product.ts";
import { err, ok, type Result } from "../protocol/result.ts";
import type { Clock } from "../protocol/time.ts";
import type { ApiOptions } from "./api/server.ts";
import { createBackups, removeStaging } from "./backup/backups.ts";
import { finishSwap } from "./backup/swap.ts";
import type { Config } from "./config.ts";
import { machineOf } from "./machine.ts";
import { createMetrics, type Metrics } from "./metrics/metrics.ts";
import { realFiles } from "./repository/files.ts";
import { guardedFiles } from "./repository/guarded.ts";
import { Repository } from "./repository/repository.ts";
import { actorOf } from "./service/audit.ts";
import { logChanges } from "./service/change-log.ts";
import type { Coordinator, Refusal } from "./service/coordinator.ts";
import { createCoordinator } from "./service/create.ts";
import { settleIncarnation } from "./service/failover.ts";
import { asOneOfSeveral } from "./service/one-of-several.ts";
import type { Parts } from "./service/parts.ts";
import { createReplica, type Replica, type ReplicaOptions, type SeatLock } from "./service/replica.ts";
import { createRequestScope } from "./service/request-scope.ts";
import type { OpenFault } from "./store/faults.ts";
import { openStore } from "./store/open.ts";
import type { PostgresStore } from "./store/postgres/open.ts";
import { rememberedStore } from "./store/remembered/store.ts";
import type { Store } from "./store/store.ts";
import { watchedStore, watchWrites } from "./store/watched.ts";

export type Assembled = {
  readonly coordinator: Coordinator;
  /** The same as one of several; null where it decides alone, or is there for one command. */
  readonly replica: Replica | null;
  readonly repository: Repository;
  readonly metrics: Metrics;
  /** The server that has the database; null when it is a file. */
  readonly database: Omit<PostgresStore, "store"> | null;
  /** What every API door is made with, less how it identifies its callers. */
  readonly doors: Omit<ApiOptions, "identify" | "publicUrl" | "tls">;
  /** Nothing may be called after it. */
  readonly close: () => Promise<void>;
};

/** What one of several coordinators needs: see `createReplica`. */
export type Among = {
  readonly lock: SeatLock;
  readonly options: ReplicaOptions;
  /** Why the one that decides cannot be reached; null when it can. */
  readonly unreachable: () => string | null;
  /** The store as it is told of what other processes write. */
  readonly listening: (store: Store) => Store;
};

/**
 * `among`: it is one of several that serve. Without it, on a database that several may use, it decides nothing by itself:
 * it is there for a command.
 * `ofProcess`: metrics of the process as well. Errors: those of opening the database. Throws when the repository is damaged beyond
 * use.
 */
export async function assemble(
  config: Config,
  log: FastifyBaseLogger,
  clock: Clock,
  { ofProcess = false, among }: { readonly ofProcess?: boolean; readonly among?: Among } = {},
): Promise<Result<Assembled, OpenFault>> {
  // What a restore has begun is finished before all else, whatever cut it off.
  await finishSwap(config.stateDir);
  // The database first: its lock says that no other coordinator uses this state directory.
  const opened = await openStore(config, () => clock.now());
  if (!opened.ok) return opened;
  const { database } = opened.value;
  const scope = createRequestScope();
  const writes = watchWrites();
  const metrics = createMetrics({
    version: PRODUCT_VERSION,
    source: () => {
      if (coordinator === null) throw new Error("there is no coordinator to ask yet");
      return coordinator;
    },
    hasSeat: () => replica?.hasSeat() ?? true,
    uptime: () => performance.now(),
    ofProcess,
  });
  let coordinator: Coordinator | null = null;
  let replica: Replica | null = null;
  const watches = [logChanges(scope.log(log)), writes.watch, metrics.storeWatch];
  const heard = among?.listening(opened.value.store) ?? opened.value.store;
  const store = watchedStore(heard, watches, () => performance.now());
  try {
    if (database !== null) await settleIncarnation(store, database.incarnation, clock.now(), scope.log(log));
    // A database in a file has made it; a second coordinator on a server begins with nothing of its own.
    await mkdir(config.stateDir, { recursive: true, mode: 0o700 });
    await removeStaging(config.stateDir);
    const repository = await Repository.open({
      dir: config.repositoryDir,
      keysDir: keysDirOf(config),
      now: () => clock.now(),
      ...(among === undefined ? {} : { files: guardedFiles(realFiles, async () => replica?.checkSeat()) }),
      isShared: database !== null,
    });
    const parts: Parts = {
      store,
      repository,
      clock,
      random: (bytes) => randomBytes(bytes),
      log: scope.log(log),
      requestId: scope.current,
      storeFault: writes.fault,
      unitFailed: metrics.unitFailed,
      pause: (ms) => sleep(ms),
      timings: config.timings,
      machine: machineOf(config),
      webhooks: config.webhooks,
      streamsPerToken: config.events.streamsPerToken,
      signedInForMs: config.dashboard.signedInForMs,
      retention: config.retention,
    };
    if (among !== undefined) replica = await createReplica(parts, among.lock, among.options);
    const made =
      replica === null
        ? await createCoordinator(
            database === null ? { ...parts, store: rememberedStore(store) } : { ...parts, standsBy: true },
          )
        : asOneOfSeveral(replica, among?.unreachable);
    const closable = replica ?? made;
    coordinator = {
      ...made,
      sessions: metrics.countFrames(made.sessions),
      tick: metrics.timeTicks(() => made.tick()),
    };
    return ok({
      coordinator,
      replica,
      repository,
      metrics,
      database,
      doors: {
        coordinator,
        metrics,
        publicMetrics: config.metrics.isPublic,
        openBackup: createBackups({
          store,
          repository,
          config,
          keysDir: keysDirOf(config),
          version: PRODUCT_VERSION,
          clock,
          log: scope.log(log),
        }).open,
        log,
        scope,
        version: PRODUCT_VERSION,
        tuf: {
          metadataDir: join(config.repositoryDir, "metadata"),
          targetsDir: join(config.repositoryDir, "targets"),
        },
        insecureHttp: config.listen.insecureHttp,
        rootFingerprint: () => repository.rootFingerprint,
        installTrust: async (by, updates) => {
          const before = { fingerprint: repository.rootFingerprint };
          const installed = await repository.installTrust(updates);
          if (!installed.ok) return err(installed.error satisfies Refusal);
          const after = installed.value;
          if (after.fingerprint === before.fingerprint) return installed;
          const said = { action: "trust.installed", subject: `root ${after.version}`, before, after };
          const requestId = scope.current();
          const entry = {
            at: clock.now(),
            ...actorOf(by),
            ...said,
            ...(requestId === null ? {} : { requestId }),
          };
          await store.apply([{ kind: "audit", value: entry }]);
          return installed;
        },
      },
      close: async () => {
        try {
          await closable.close();
        } catch (error) {
          // What it would still have noted, it cannot when the server is away.
          if (database === null) throw error;
          log.warn({ err: error }, "the database was away at the end");
        } finally {
          await store.close();
        }
      },
    });
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The snapshot and timestamp keys. */
export const keysDirOf = (config: Config): string => config.keysDir;
