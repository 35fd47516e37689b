import { type Kysely, sql } from "kysely";
import type { Tables } from "../sql/tables.ts";

/** Whether what is said to be durable survives the loss of the primary. */
export type Replication = {
  readonly standbys: number;
  /** Of these, those that writes do not wait for. */
  readonly asynchronous: number;
  /** Writes wait for a standby: no lease that was granted is lost with the primary. */
  readonly isSynchronous: boolean;
};

/** Asks the server about its standbys. A user that may not see their states counts them as asynchronous. */
export async function readReplication(db: Kysely<Tables>): Promise<Replication> {
  const { rows } = await sql<{ standbys: number; waited: number; names: string }>`
    select count(*) as standbys,
      count(*) filter (where sync_state in ('sync', 'quorum', 'potential')) as waited,
      current_setting('synchronous_standby_names') as names
    from pg_stat_replication where application_name <> 'pg_basebackup'`.execute(db);
  const { standbys = 0, waited = 0, names = "" } = rows[0] ?? {};
  return { standbys, asynchronous: standbys - waited, isSynchronous: names !== "" };
}
