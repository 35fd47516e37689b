import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  type QueryResult,
  type RootOperationNode,
} from "kysely";
import type { PoolClient } from "pg";
import { BatonQueryCompiler } from "./compiler.ts";
import { ConnectionLost, isParting, isStalePlan } from "./faults.ts";
import type { PostgresPool } from "./pool.ts";

/** Kysely on PostgreSQL, for one writer at a time in the whole database. */
export const postgresDialect = (pool: PostgresPool): Dialect => ({
  createAdapter: () => new PostgresAdapter(),
  createDriver: () => new PostgresDriver(pool),
  createIntrospector: (db) => new PostgresIntrospector(db),
  createQueryCompiler: () => new BatonQueryCompiler(),
});

/**
 * A transaction begins with a lock that all writers of this database take and that ends with it, also those in other
 * processes. So nothing changes between what a batch looks at and what it writes, no two of them wait for each other,
 * and ids that were counted up appear in their order, as on SQLite. What that costs is little: batches that are asked
 * for at the same time share a transaction.
 */
const BEGIN = "begin; select pg_advisory_xact_lock(hashtextextended('baton writer', 0))";

/**
 * Without a time limit: a commit that is cancelled while it waits for a standby would be said to have succeeded.
 * Whose patience ends first ends the connection.
 */
const COMMIT = "set local statement_timeout = 0; commit";

class PostgresDriver implements Driver {
  readonly #pool: PostgresPool;
  readonly #names = new StatementNames();

  constructor(pool: PostgresPool) {
    this.#pool = pool;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PostgresConnection> {
    return new PostgresConnection(await this.#pool.connect(), this.#names, () => this.#pool.connect());
  }

  async beginTransaction(connection: PostgresConnection): Promise<void> {
    await connection.begin(BEGIN);
  }

  async commitTransaction(connection: PostgresConnection): Promise<void> {
    await connection.end(COMMIT);
  }

  async rollbackTransaction(connection: PostgresConnection): Promise<void> {
    await connection.rollBack();
  }

  async releaseConnection(connection: PostgresConnection): Promise<void> {
    connection.release();
  }

  async destroy(): Promise<void> {
    await this.#pool.end();
  }
}

/** A read is asked again this often when its connection is lost, each time over another one. */
const READ_AGAIN = 2;

class PostgresConnection implements DatabaseConnection {
  #client: PoolClient;
  readonly #names: StatementNames;
  readonly #another: () => Promise<PoolClient>;
  #isLost = false;
  #inTransaction = false;

  constructor(client: PoolClient, names: StatementNames, another: () => Promise<PoolClient>) {
    this.#client = client;
    this.#names = names;
    this.#another = another;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const values = query.parameters.map(storable);
    for (let again = READ_AGAIN; ; again -= 1) {
      try {
        const name = this.#names.of(query);
        const config = { text: query.sql, values, ...(name === undefined ? {} : { name }) };
        const { command, rowCount, rows } = await this.#ask(() => this.#client.query(config));
        return WRITES.includes(command) ? { rows, numAffectedRows: BigInt(rowCount ?? 0) } : { rows };
      } catch (cause) {
        const isStale = isStalePlan(cause);
        if (isStale) this.#names.renew();
        const isRead = query.query.kind === "SelectQueryNode" && !this.#inTransaction;
        if (!isRead || again === 0 || !(isStale || cause instanceof ConnectionLost)) throw cause;
        if (isStale) continue;
        this.#client.release(true);
        this.#isLost = false;
        this.#client = await this.#another();
      }
    }
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query);
  }

  async begin(sql: string): Promise<void> {
    this.#inTransaction = true;
    try {
      await this.#ask(() => this.#client.query(sql));
    } catch (cause) {
      // It may have begun and not got the lock, and nobody would end it.
      this.#isLost = true;
      throw cause;
    }
  }

  async end(sql: string): Promise<void> {
    await this.#ask(() => this.#client.query(sql));
    this.#inTransaction = false;
  }

  /** Never fails: what a server finds unfinished when its connection ends, it undoes. */
  async rollBack(): Promise<void> {
    if (!this.#isLost) await this.#ask(() => this.#client.query("rollback")).catch(this.#lose);
    this.#inTransaction = false;
  }

  release(): void {
    this.#client.release(this.#isLost || this.#inTransaction);
  }

  readonly #lose = (): void => {
    this.#isLost = true;
  };

  async #ask<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (!isParting(cause)) throw cause;
      this.#lose();
      throw new ConnectionLost(cause);
    }
  }
}

const WRITES: readonly string[] = ["INSERT", "UPDATE", "DELETE", "MERGE"];

/** Texts of PostgreSQL have no character 0: it is stored as the one that stands for what cannot be shown. */
const storable = (value: unknown): unknown =>
  typeof value === "string" && value.includes("\0") ? value.replaceAll("\0", "\ufffd") : value;

/**
 * Names for statements that are compiled once and run many times: those the server keeps prepared. One that was built
 * for a single use is never seen again, and gets none.
 */
class StatementNames {
  readonly #seen = new WeakMap<RootOperationNode, string | null>();
  #count = 0;
  #generation = 0;

  /** What the server has prepared is of no use any more: a table has got a column. */
  renew(): void {
    this.#generation += 1;
  }

  of({ query }: CompiledQuery): string | undefined {
    const known = this.#seen.get(query);
    if (known === undefined) {
      this.#seen.set(query, null);
      return undefined;
    }
    if (known === null) this.#count += 1;
    const name = known ?? `baton_${this.#count}`;
    this.#seen.set(query, name);
    return `${name}_${this.#generation}`;
  }
}
