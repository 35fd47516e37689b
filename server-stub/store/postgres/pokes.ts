/**
 * What one process writes is told to the others by NOTIFY: that there is something, and not what. Nothing rests on it:
 * who misses it reads a little later.
 *
 * Invariant: a connection that is dead without a word is noticed within `everyMs` and `askMs`, and then everybody is poked,
 * since something may have been missed.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { DurationMs } from "../../../protocol/time.ts";
import type { PostgresAddress } from "./address.ts";
import { createOwnConnection } from "./own-connection.ts";

export type Pokes = {
  /** Tells the others. Never throws; many at once are one. */
  readonly tell: () => void;
  /** Looks whether the connection still answers, and makes it anew if not. Called by a timer. */
  readonly look: () => Promise<void>;
  close(): Promise<void>;
};

const CHANNEL = "baton_changed";
const LIMITS = { askMs: 1_500, connectMs: 1_000 } as const satisfies Record<string, DurationMs>;

/** However much is written, the others are told no more often. */
const TELL_EVERY_MS: DurationMs = 50;

type Log = Record<"debug" | "warn", (fields: object, message: string) => void>;

/** `heard`: others may have written something. */
export function createPokes(address: PostgresAddress, log: Log, heard: () => void): Pokes {
  let isClosed = false;
  let isConnected = false;
  let telling: Promise<void> | null = null;
  let again = false;
  const connection = createOwnConnection(address, {
    name: "baton events",
    // A poke that is lost with the server is no loss; it must not wait for a disk or a standby.
    begin: `set synchronous_commit = off; listen ${CHANNEL}`,
    ...LIMITS,
    log,
    notified: (_channel, isOwn) => {
      if (!isOwn) heard();
    },
    lost: () => {
      isConnected = false;
    },
  });
  /** Questions of a connection wait for each other, so that a poke is told after the look that is under way. */
  const ask = async (sql: string): Promise<void> => {
    try {
      const client = await connection.open();
      if (client === null) return;
      await client.query(sql);
      if (isConnected) return;
      isConnected = true;
      heard();
    } catch (error) {
      connection.drop();
      log.debug({ err: error }, "the connection for pokes was lost; it is made anew");
    }
  };
  const tellOn = async (): Promise<void> => {
    do {
      again = false;
      await ask(`notify ${CHANNEL}`);
      await sleep(TELL_EVERY_MS, undefined, { ref: false });
    } while (again && !isClosed);
  };
  return {
    tell: () => {
      if (isClosed) return;
      again = true;
      telling ??= tellOn().finally(() => {
        telling = null;
      });
    },
    look: () => (isClosed ? Promise.resolve() : ask("select 1")),
    close: async () => {
      isClosed = true;
      await telling;
      await connection.end(null);
    },
  };
}
