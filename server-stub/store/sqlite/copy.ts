import { backup, type DatabaseSync } from "node:sqlite";
import type { Kysely } from "kysely";
import type { Tables } from "../sql/tables.ts";

/** Pages that are copied in one go: a few milliseconds at most. */
const COPY_PAGES = 256;

/**
 * Copies a database that goes on being written to, as it is at the end of the copying.
 *
 * SQLite copies nothing while the same connection is in the middle of a transaction, and says that it is busy. Node
 * tries again then, but for the very first pages: it gives up with `not an error`. So the connection is held until
 * those are copied. Source: `BackupJob` in Node's src/node_sqlite.cc; https://sqlite.org/c3ref/backup_finish.html
 */
export async function copyDatabase(db: Kysely<Tables>, database: DatabaseSync, file: string): Promise<void> {
  const begun = Promise.withResolvers<void>();
  const copied = await db.connection().execute(async () => {
    const whole = backup(database, file, { rate: COPY_PAGES, progress: () => begun.resolve() });
    await Promise.race([begun.promise, whole]);
    return { whole };
  });
  await copied.whole;
}
