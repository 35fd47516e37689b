/**
 * The lock that says which of several coordinators decides: an advisory lock on a connection of its own, which ends
 * with the connection.
 *
 * Invariant: who is not heard by the server for `silentMs` has lost it, whatever became of it: suspended, cut off, or
 * gone with its machine. The server itself ends such a connection (`idle_session_timeout`). Who only comes too late finds
 * out by its next look; until then, and for what is on its way, the claim in the store keeps it from writing.
 */
import { Client } from "pg";
import type { DurationMs } from "../../../protocol/time.ts";
import type { PostgresAddress } from "./address.ts";

export type PostgresSeatLock = {
  /** Takes it where nobody has it. True while it is ours. False also while no server can be asked. */
  take(): Promise<boolean>;
  /** Gives it up, and tells those who wait for it. May be called again. */
  release(): Promise<void>;
};

export type SeatLockLimits = {
  /** After so much silence the server gives the lock to who asks. To be looked at several times within it. */
  readonly silentMs: DurationMs;
  /** How long one question may take. */
  readonly askMs: DurationMs;
  readonly connectMs: DurationMs;
};

export const SEAT_LOCK_LIMITS: SeatLockLimits = { silentMs: 2_500, askMs: 1_500, connectMs: 1_000 };

const CHANNEL = "baton_seat";
const KEY = "hashtextextended('baton seat', 0)";

type Log = Record<"debug" | "warn", (fields: object, message: string) => void>;

/** `freed`: whoever had the lock has given it up, so that it may be taken right now. */
export function createSeatLock(
  { urls }: PostgresAddress,
  log: Log,
  freed: () => void = () => undefined,
  limits: SeatLockLimits = SEAT_LOCK_LIMITS,
): PostgresSeatLock {
  let at = 0;
  let client: Client | null = null;
  let isOurs = false;
  let isReleased = false;

  const drop = (): void => {
    const dropped = client;
    client = null;
    isOurs = false;
    // It cannot be waited for: what is dropped here may never answer.
    dropped?.end().catch((error: unknown) => log.debug({ err: error }, "the seat's connection has ended"));
  };

  /** To a host that takes writes; null when none does. */
  const connect = async (): Promise<Client | null> => {
    for (let tries = 0; tries < urls.length; tries += 1) {
      const made = new Client({
        connectionString: urls[at],
        connectionTimeoutMillis: limits.connectMs,
        query_timeout: limits.askMs,
        application_name: "baton seat",
        keepAlive: true,
      });
      made.on("error", () => {
        if (client === made) drop();
      });
      made.on("notification", freed);
      try {
        await made.connect();
        await made.query(`set idle_session_timeout = ${limits.silentMs}; listen ${CHANNEL}`);
        const { rows } = await made.query<{ standby: boolean }>("select pg_is_in_recovery() as standby");
        if (rows[0]?.standby === false) return made;
        await made.end();
      } catch (error) {
        log.debug({ err: error }, "no seat can be taken at this host");
        made.end().catch(() => undefined);
      }
      at = (at + 1) % urls.length;
    }
    return null;
  };

  return {
    async take() {
      if (isReleased) return false;
      const wasOurs = isOurs;
      try {
        client ??= await connect();
        if (client === null) return false;
        const asked = isOurs ? "select true as mine" : `select pg_try_advisory_lock(${KEY}) as mine`;
        const { rows } = await client.query<{ mine: boolean }>(asked);
        isOurs = rows[0]?.mine === true;
      } catch (error) {
        drop();
        if (wasOurs) log.warn({ err: error }, "the connection that holds the seat was lost");
      }
      return isOurs;
    },
    async release() {
      isReleased = true;
      const last = client;
      const wasOurs = isOurs;
      client = null;
      isOurs = false;
      if (last === null) return;
      try {
        if (wasOurs) await last.query(`select pg_advisory_unlock_all(); notify ${CHANNEL}`);
        await last.end();
      } catch (error) {
        log.debug({ err: error }, "the seat was given up with its connection");
        last.end().catch(() => undefined);
      }
    },
  };
}
