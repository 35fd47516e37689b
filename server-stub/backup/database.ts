import { DatabaseSync } from "node:sqlite";
import { FaultError } from "../../protocol/result.ts";
import { damaged } from "./unpack.ts";

/** Refuses a database that is not whole: SQLite looks at every page. Throws `FaultError` `backup-damaged`. */
export function checkDatabase(file: string): void {
  let said: unknown;
  try {
    const database = new DatabaseSync(file, { timeout: 0 });
    try {
      // No shared memory: nobody else uses it.
      database.exec("pragma locking_mode = exclusive");
      said = database.prepare("pragma integrity_check(1)").get()?.integrity_check;
    } finally {
      database.close();
    }
  } catch (cause) {
    throw damaged(
      `its database cannot be read (${cause instanceof Error ? cause.message : String(cause)})`,
      cause,
    );
  }
  if (said !== "ok") throw damaged(`its database is damaged (${String(said)})`);
}

export type Held = { readonly tokenEpoch: number; release(): void };

/**
 * Keeps everybody else off a database that is going to be replaced, and reads the epoch of its tokens. One that cannot
 * be read keeps nobody off: no coordinator could start on it either. Throws `FaultError` `store-in-use`.
 */
export function holdDatabase(file: string): Held {
  let database: DatabaseSync | null = null;
  let tokenEpoch = 0;
  try {
    database = new DatabaseSync(file, { timeout: 0 });
    database.exec("pragma locking_mode = exclusive");
    database.exec("begin exclusive; commit");
    const body = database.prepare("select body from meta").get()?.body;
    tokenEpoch = Number((JSON.parse(String(body)) as { tokenEpoch?: unknown }).tokenEpoch) || 0;
  } catch (cause) {
    if (isBusy(cause)) {
      database?.close();
      throw new FaultError(
        {
          code: "store-in-use",
          message: `A coordinator has ${file} open.`,
          hint: "Stop it first: systemctl stop baton-coordinator. Nothing was changed.",
        },
        { cause },
      );
    }
  }
  return {
    tokenEpoch,
    release: () => {
      database?.close();
      database = null;
    },
  };
}

const isBusy = (cause: unknown): boolean =>
  cause instanceof Error && "errcode" in cause && (Number(cause.errcode) & 0xff) === 5;
