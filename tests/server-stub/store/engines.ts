/** The engines that a store can have, for suites that hold for each of them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openMemoryStore } from "../../../server-stub/store/memory/store.ts";
import { readAddress } from "../../../server-stub/store/postgres/address.ts";
import { openPostgresStore } from "../../../server-stub/store/postgres/open.ts";
import { rememberedStore } from "../../../server-stub/store/remembered/store.ts";
import { openSqliteStore } from "../../../server-stub/store/sqlite/open.ts";
import type { Store } from "../../../server-stub/store/store.ts";
import { freshDatabase } from "../../harness/postgres/of-this-run.ts";

/** Those that outlive the process. */
export const SQL_ENGINES = ["sqlite", "postgres"] as const;
/** `remembered`: on SQLite, with what is asked for most kept in memory. */
export const ENGINES = ["memory", ...SQL_ENGINES, "remembered"] as const;
export type EngineName = (typeof ENGINES)[number];

/** An empty store whose wall clock is `now`; closed, and its directory removed, at the end of the block. */
export async function freshStore(engine: EngineName, now: () => number = Date.now) {
  const dir = await mkdtemp(join(tmpdir(), "baton-store-"));
  const store = await open(engine, dir, now);
  return {
    store,
    dir,
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await rm(dir, { recursive: true });
    },
  };
}

async function open(engine: EngineName, dir: string, now: () => number): Promise<Store> {
  if (engine === "memory") return openMemoryStore(now);
  if (engine === "postgres") return (await openPostgres(await freshDatabase(), now)).store;
  const opened = await openSqliteStore(join(dir, "store.db"), now);
  if (!opened.ok) throw new Error(opened.error.message);
  return engine === "remembered" ? rememberedStore(opened.value) : opened.value;
}

/** The store in the database at `url`. */
export async function openPostgres(url: string, now: () => number = Date.now) {
  const address = readAddress(url);
  if (!address.ok) throw new Error(address.error);
  const opened = await openPostgresStore(address.value, now);
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
}
