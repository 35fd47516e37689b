import { setTimeout as sleep } from "node:timers/promises";
import { Client, type ClientBase, type ClientConfig, Pool, type PoolClient, types } from "pg";
import type { DurationMs } from "../../../protocol/time.ts";
import type { PostgresAddress } from "./address.ts";
import { ConnectionLost, FailedOver, isRefusal, NotWritable } from "./faults.ts";

export type PostgresPool = {
  /**
   * A connection to a host that takes writes, tried one after the other with growing pauses. Throws `ConnectionLost`
   * when there was none for `reachMs`, `FailedOver`, or what the server said when it would not let us in.
   */
  connect(): Promise<PoolClient>;
  /** Which database it is, by its system and timeline; null before the first connection. */
  incarnation(): string | null;
  /** Resolves when the database is found to be another incarnation; never when it stays the same. */
  readonly failedOver: Promise<FailedOver>;
  end(): Promise<void>;
};

export type PoolLimits = {
  /** Connections at the same time, all of which are to the same host. */
  readonly connections: number;
  /** How long one statement may take, and a wait for the other writers. 0: for ever. */
  readonly statementMs: DurationMs;
  /** How long a transaction may stand still, as when this process does; others wait for it. 0: for ever. */
  readonly standstillMs: DurationMs;
  readonly connectMs: DurationMs;
  /** How long a host that takes writes is looked for before somebody is told that there is none. */
  readonly reachMs: DurationMs;
};

export const POOL_LIMITS: PoolLimits = {
  connections: 8,
  statementMs: 5_000,
  standstillMs: 2_000,
  connectMs: 2_000,
  reachMs: 8_000,
};

/** Longest pause between two rounds over the hosts. */
const MAX_PAUSE_MS: DurationMs = 1_000;
/** The server answers first when a statement takes too long; who answers not even that has gone. */
const SILENCE_MS: DurationMs = 1_000;

export function createPool(
  address: PostgresAddress,
  limits: PoolLimits = POOL_LIMITS,
  wait: (ms: DurationMs) => Promise<unknown> = sleep,
): PostgresPool {
  const { urls } = address;
  let at = 0;
  let incarnation: string | null = null;
  let over: FailedOver | null = null;
  const failedOver = Promise.withResolvers<FailedOver>();

  /** Goes where the pool looks right now. */
  class HostClient extends Client {
    constructor(config: ClientConfig = {}) {
      // The time limit is not the pool's, which would also count the wait for a connection that others have.
      super({ ...config, connectionString: urls[at], connectionTimeoutMillis: limits.connectMs });
    }
  }
  const pool = new Pool({
    Client: HostClient,
    max: limits.connections,
    idleTimeoutMillis: 60_000,
    types: { getTypeParser: parserOf },
    keepAlive: true,
    application_name: "baton",
    statement_timeout: limits.statementMs,
    idle_in_transaction_session_timeout: limits.standstillMs,
    ...(limits.statementMs === 0 ? {} : { query_timeout: limits.statementMs + SILENCE_MS }),
  });
  // Who has a connection that ends is told by what it asked of it; without listeners this process would end with it.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => void client.on("error", () => undefined));
  const greeted = new WeakSet<ClientBase>();

  async function greet(client: PoolClient): Promise<PoolClient> {
    if (greeted.has(client)) return client;
    try {
      await check(client);
    } catch (cause) {
      client.release(true);
      throw cause;
    }
    greeted.add(client);
    return client;
  }

  async function check(client: PoolClient): Promise<void> {
    const { rows } = await client.query<Greeting>(GREETING);
    const [said] = rows;
    if (said === undefined || said.incarnation === null) throw new NotWritable();
    incarnation ??= said.incarnation;
    if (said.incarnation === incarnation) return;
    over ??= new FailedOver(incarnation, said.incarnation);
    failedOver.resolve(over);
    throw over;
  }

  return {
    async connect() {
      const until = performance.now() + limits.reachMs;
      for (let tries = 0; ; tries += 1) {
        if (over !== null) throw over;
        const tried = at;
        try {
          return await greet(await pool.connect());
        } catch (cause) {
          if (isRefusal(cause)) throw cause;
          // Another one may have looked further meanwhile.
          if (at === tried) at = (tried + 1) % urls.length;
          if (performance.now() >= until) throw new ConnectionLost(cause);
        }
        const round = Math.floor((tries + 1) / urls.length);
        if ((tries + 1) % urls.length === 0) await wait(pauseOf(round));
      }
    },
    incarnation: () => incarnation,
    failedOver: failedOver.promise,
    end: () => pool.end(),
  };
}

/** 50 ms, and twice as long each time, less up to a half so that many do not come at once. */
const pauseOf = (round: number): DurationMs =>
  Math.min(MAX_PAUSE_MS, 25 * 2 ** Math.min(round, 10)) * (1 - Math.random() / 2);

type Greeting = { readonly incarnation: string | null };

/**
 * Whether it takes writes, and which database it is: a standby that is promoted goes on in a timeline of its own, and
 * what is restored elsewhere is another system. What was said to be durable is to be so, whatever the server's default.
 */
const GREETING = `
  select case
    when pg_is_in_recovery() or current_setting('default_transaction_read_only') = 'on' then null
    else (select system_identifier from pg_control_system())::text || '/' ||
      substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
  end as incarnation,
  case when current_setting('synchronous_commit') in ('off', 'local')
    then set_config('synchronous_commit', 'on', false)
  end as durable`;

/** Counts and instants of 64 bits, and sums of them, are numbers here: none is beyond 2^53. */
const NUMBERS: readonly number[] = [types.builtins.INT8, types.builtins.NUMERIC];

const parserOf: typeof types.getTypeParser = ((oid: number, format?: "text") =>
  NUMBERS.includes(oid) ? Number : types.getTypeParser(oid, format)) as typeof types.getTypeParser;
