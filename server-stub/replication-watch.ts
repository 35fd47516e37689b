import type { Log } from "./service/parts.ts";
import type { Replication } from "./store/postgres/replication.ts";

type Options = {
  readonly replication: () => Promise<Replication>;
  readonly metrics: { readonly replicationIs: (now: Replication) => void };
  readonly log: Log;
};

/**
 * Looks whether what is said to be durable survives the loss of the primary, and says so when that changes: with
 * standbys that writes do not wait for, a lease that was granted last may be forgotten by a failover. A database
 * without standbys is as durable as its disk, and no reason to say anything. Never rejects.
 */
export function createReplicationWatch({ replication, metrics, log }: Options): () => Promise<void> {
  let said: string | null = null;
  return async () => {
    try {
      const now = await replication();
      metrics.replicationIs(now);
      const { standbys, asynchronous, isSynchronous } = now;
      const isLoose = standbys > 0 && (!isSynchronous || asynchronous > 0);
      const says = JSON.stringify([isLoose, asynchronous]);
      if (isLoose && says !== said) log.warn({ ...now }, LOOSE);
      else if (!isLoose && said?.startsWith("[true") === true)
        log.info({ ...now }, "writes wait for a standby");
      said = says;
    } catch (error) {
      log.warn({ err: error }, "the database could not be asked about its standbys");
    }
  };
}

const LOOSE =
  "a standby is asynchronous: leases that are granted right before a failover to it are forgotten (synchronous_standby_names)";
