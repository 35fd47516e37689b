import { Kysely, sql } from "kysely";
import { readAddress } from "../../../server-stub/store/postgres/address.ts";
import { postgresDialect } from "../../../server-stub/store/postgres/dialect.ts";
import { createPool } from "../../../server-stub/store/postgres/pool.ts";
import type { Tables } from "../../../server-stub/store/sql/tables.ts";

/** Works on the database at `url` past the store: statements, or whatever is to be done with it. */
export async function onDatabase(
  url: string,
  work: string | ((db: Kysely<Tables>) => Promise<unknown>),
): Promise<void> {
  const address = readAddress(url);
  if (!address.ok) throw new Error(address.error);
  const db = new Kysely<Tables>({ dialect: postgresDialect(createPool(address.value)) });
  try {
    if (typeof work === "string") {
      for (const statement of work.split("; ")) await sql.raw(statement).execute(db);
    } else await work(db);
  } finally {
    await db.destroy();
  }
}
