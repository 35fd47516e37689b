/**
 * The lock that says which of several coordinators decides: an advisory lock on a connection of its own, which ends
 * with the connection.
 *
 * Invariant: who is not heard by the server for `silentMs` has lost it, whatever became of it: suspended, cut off, or
 * gone with its machine. The server itself ends such a connection (`idle_session_timeout`). Who only comes too late finds
 * out by its next look; until then, and for what is on its way, the claim in the store keeps it from writing.
 */
import type { DurationMs } from "../../../protocol/time.ts";
import type { PostgresAddress } from "./address.ts";
import { createOwnConnection } from "./own-connection.ts";

export type PostgresSeatLock = {
  /** Takes it where nobody has it. True while it is ours. False also while no server can be asked. */
  take(): Promise<boolean>;
  /** Says that it is still held, where it is: for who is busy in the seat for longer than the server waits. */
  keep(): Promise<void>;
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
  address: PostgresAddress,
  log: Log,
  freed: () => void = () => undefined,
  { silentMs, askMs, connectMs }: SeatLockLimits = SEAT_LOCK_LIMITS,
): PostgresSeatLock {
  let isOurs = false;
  let isReleased = false;
  const connection = createOwnConnection(address, {
    name: "baton seat",
    begin: `set idle_session_timeout = ${silentMs}; listen ${CHANNEL}`,
    connectMs,
    askMs,
    log,
    notified: (_channel, isOwn) => {
      if (!isOwn) freed();
    },
    lost: () => {
      isOurs = false;
    },
  });
  return {
    async take() {
      if (isReleased) return false;
      const wasOurs = isOurs;
      try {
        const client = await connection.open();
        if (client === null) return false;
        const asked = isOurs ? "select true as mine" : `select pg_try_advisory_lock(${KEY}) as mine`;
        const { rows } = await client.query<{ mine: boolean }>(asked);
        isOurs = rows[0]?.mine === true;
      } catch (error) {
        connection.drop();
        isOurs = false;
        if (wasOurs) log.warn({ err: error }, "the connection that holds the seat was lost");
      }
      return isOurs;
    },
    async keep() {
      if (!isOurs) return;
      try {
        await (await connection.open())?.query("select 1");
      } catch (error) {
        connection.drop();
        log.warn({ err: error }, "the connection that holds the seat was lost");
      }
    },
    async release() {
      isReleased = true;
      const wasOurs = isOurs;
      isOurs = false;
      await connection.end(wasOurs ? `select pg_advisory_unlock_all(); notify ${CHANNEL}` : null);
    },
  };
}
