/**
 * The agent's link to its coordinator: who this node is, its session, the lease and the preparing of builds. A node
 * that has not joined has none of it, runs all the same, and picks its identity up as soon as it is there.
 */

import type { JobId } from "../protocol/names.ts";
import type { JobStarted } from "../protocol/node.ts";
import { err, type Fault, FaultError, ok, type Result } from "../protocol/result.ts";
import type { DurationMs } from "../protocol/time.ts";
import { askForJob, askHowJobEnded } from "./ask-coordinator.ts";
import type { Config } from "./config.ts";
import type { JobEnd } from "./core/local-job.ts";
import type { LeaseClient, LeaseFailure, Preparer } from "./core/ports.ts";
import type { Diagnoser } from "./diagnose.ts";
import { realClock } from "./effects/clock.ts";
import type { Disk } from "./effects/disk.ts";
import { type Joined, type NodeIdentity, readJoined } from "./effects/identity.ts";
import type { Layout } from "./effects/layout.ts";
import type { Log } from "./effects/log.ts";
import { realScheduler } from "./effects/scheduler.ts";
import type { Agent } from "./runner.ts";
import type { Running } from "./running.ts";
import { type Addresses, createAddresses } from "./session/addresses.ts";
import { openHttp } from "./session/http.ts";
import { createHttpClient, type HttpClient } from "./session/http-client.ts";
import { createLeaseClient } from "./session/lease-client.ts";
import type { Network } from "./session/network.ts";
import { createSession, type Session, type SessionStatus } from "./session/session.ts";
import { openWebSocket } from "./session/websocket.ts";

export type LinkOptions = {
  readonly disk: Disk;
  readonly config: Config;
  readonly running: Running;
  readonly layout: Layout;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly network: Network;
  readonly diagnoser: Diagnoser;
  /** How often in a row this build has crashed, as heartbeats tell it. */
  readonly crashes: () => number;
  readonly log: Log;
};

export type Link = {
  readonly lease: LeaseClient;
  readonly preparer: Preparer;
  /** Opens the session of a started agent, now or once this node has joined. */
  start(agent: Agent): Promise<void>;
  identity(): NodeIdentity | null;
  session(): SessionStatus;
  /** Takes what is in `ca_file` now, if it has changed; connections that are open stay open. */
  lookAtAuthorities(): void;
  /** Has the coordinator asked now. Errors: `not-joined`, or why nobody answered. */
  poll(): Promise<Result<void, Fault>>;
  /** Asks for a job on this node, and for the orders that follow from it. */
  askFor(kind: "update" | "rollback", options: { retry: boolean }): Promise<Result<JobStarted, Fault>>;
  /** How the coordinator says that a job ended; null when it has not, or nobody knows. */
  howEnded(jobId: JobId): Promise<JobEnd | null>;
  /** There is something to tell that the machine does not know of: how a diagnosis ended. */
  tell(): void;
  stop(): Promise<void>;
};

type Linked = Joined & {
  readonly addresses: Addresses;
  readonly http: HttpClient;
  readonly session: Session;
  group: string;
};

const LOOK_AGAIN_MS: DurationMs = 2_000;
const POLL_TIMEOUT_MS: DurationMs = 20_000;

export function createLink(options: LinkOptions): Link {
  const { disk, config, running, layout, env, log, network } = options;
  let linked: Linked | null = null;
  let fault: Fault = NOT_JOINED;
  let looking: NodeJS.Timeout | undefined;
  let preparer: Promise<Preparer> | undefined;

  const link = async (agent: Agent): Promise<void> => {
    const joined = await readJoined(disk, layout.state).catch(cannotBeRead);
    const connected = joined.ok ? tryConnect(options, joined.value, agent, () => linked) : joined;
    if (connected.ok) {
      linked = connected.value;
      linked.session.start();
      return;
    }
    if (connected.error.code !== fault.code || looking === undefined)
      log.warn({ code: connected.error.code }, connected.error.message);
    fault = connected.error;
    looking = setTimeout(() => {
      link(agent).catch((cause: unknown) => log.error({ cause }, "the session cannot be opened"));
    }, LOOK_AGAIN_MS).unref();
  };

  const lookAtAuthorities = (): void => {
    try {
      network.reading();
    } catch (cause) {
      if (!(cause instanceof FaultError)) throw cause;
      log.warn({ code: cause.fault.code }, cause.fault.message);
    }
  };

  const call = async <T>(run: (lease: LeaseClient) => Promise<Result<T, LeaseFailure>>) =>
    linked === null
      ? err<LeaseFailure>({ kind: "unreachable", ...fault })
      : run(createLeaseClient(linked.http, () => linked?.group ?? ""));

  return {
    lease: {
      reserve: (request) => call((lease) => lease.reserve(request)),
      renew: (request) => call((lease) => lease.renew(request)),
      commit: (request) => call((lease) => lease.commit(request)),
      cancel: (request) => call((lease) => lease.cancel(request)),
    },
    preparer: {
      prepare: async (desired, how) => {
        if (linked === null) return err(fault);
        const { pinnedRoot, addresses } = linked;
        preparer ??= import("./preparer.ts").then(({ createNodePreparer }) =>
          createNodePreparer({
            disk,
            layout,
            running,
            pinnedRoot,
            addresses,
            mirrors: config.mirrors,
            network,
            downloadTimeoutMs: config.update.downloadTimeoutMs,
            selfTestTimeoutMs: config.update.selfTestTimeoutMs,
            env,
            log,
          }),
        );
        return (await preparer).prepare(desired, how);
      },
    },
    start: link,
    identity: () => (linked === null ? null : { ...linked.identity, group: linked.group }),
    session: () => linked?.session.status() ?? { ...NO_SESSION, fault },
    lookAtAuthorities,
    poll: async () => {
      lookAtAuthorities();
      return linked === null ? err(fault) : linked.session.poll(POLL_TIMEOUT_MS);
    },
    askFor: async (kind, { retry }) => {
      if (linked === null) return err(fault);
      const asked = await askForJob(linked.http, linked.identity.nodeId, kind, retry);
      // The orders for it come by themselves where a session can push; asking makes it sure.
      if (asked.ok) void linked.session.poll(POLL_TIMEOUT_MS);
      return asked;
    },
    tell: () => linked?.session.logged(),
    howEnded: async (jobId) => (linked === null ? null : askHowJobEnded(linked.http, jobId)),
    stop: async () => {
      clearTimeout(looking);
      await linked?.session.stop();
      await linked?.http.close();
    },
  };
}

/** What stands in the way may be mended while the agent runs; it is looked for again. */
const cannotBeRead = (cause: unknown) =>
  err({
    code: "node-json-unreadable",
    message: `Who this node is cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
    hint: "What runs goes on running. Look at the owner and the mode of the files in state/.",
  });

/** `connect`, unless what it needs cannot be read: `ca-file-unreadable`. */
function tryConnect(...parts: Parameters<typeof connect>): Result<Linked, Fault> {
  try {
    return ok(connect(...parts));
  } catch (cause) {
    if (cause instanceof FaultError) return err(cause.fault);
    throw cause;
  }
}

/** Puts a session together, and ties it to the agent. */
function connect(
  { config, running, network, diagnoser, crashes, log }: LinkOptions,
  joined: Joined,
  agent: Agent,
  current: () => Linked | null,
): Linked {
  const { identity } = joined;
  const { credential } = identity;
  const servers = config.servers.length > 0 ? config.servers : identity.servers;
  const [first = "", ...others] = servers;
  const addresses = createAddresses([first, ...others]);
  // What cannot be read is found here, and not by every connection.
  network.reading();
  const http = createHttpClient({ addresses, credential, network });
  const session = createSession({
    mode: config.session.mode,
    websocket: openWebSocket({ addresses, credential, network }),
    http: openHttp({ http, addresses }),
    source: {
      hello: () => ({ ...agent.helloParts(), platform: running.platform, runtime: process.versions.node }),
      heartbeat: () => ({ ...agent.heartbeatParts(), crashes: crashes() }),
      diagnosis: (jobId) => diagnoser.ended(jobId),
      logLines: (jobId, from, limit) => agent.logLines(jobId, from, limit),
    },
    events: {
      welcomed: ({ group }) => {
        const now = current();
        if (now !== null) now.group = group;
      },
      opened: (nonce) => agent.sessionOpened(nonce),
      closed: () => agent.sessionClosed(),
      orders: (orders) => {
        const { seq, desired, turn, waiting, confirm, diagnose } = orders;
        log.debug(
          { seq, job: desired?.jobId, turn: turn !== null, waiting: waiting?.code, confirm, diagnose },
          "orders",
        );
        agent.receive(orders);
        diagnoser.wanted(diagnose?.jobId ?? null);
      },
    },
    reconnect: { minMs: config.session.reconnectMinMs, maxMs: config.session.reconnectMaxMs },
    clock: realClock,
    scheduler: realScheduler,
    random: Math.random,
    log,
  });
  agent.subscribe(() => session.changed());
  agent.subscribeLog(() => session.logged());
  return { ...joined, addresses, http, session, group: identity.group };
}

const NO_SESSION = { connected: false, transport: null, server: null, since: null } as const;

const NOT_JOINED: Fault = {
  code: "not-joined",
  message: "This node has not joined a coordinator.",
  hint: "Run the line that `baton tokens join` prints.",
};
