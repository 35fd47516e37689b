import { Client } from "pg";
import type { DurationMs } from "../../../protocol/time.ts";
import type { PostgresAddress } from "./address.ts";

export type OwnConnection = {
  /** It, made when there is none; null when no host takes writes, and after its end. Whoever is refused or gets no answer calls `drop`. */
  open(): Promise<Client | null>;
  /** Ends it without waiting: whoever is at the other end may never answer. */
  drop(): void;
  /** Ends it after a last question. Never rejects. */
  end(last: string | null): Promise<void>;
};

type Log = Record<"debug" | "warn", (fields: object, message: string) => void>;

export type OwnOptions = {
  /** For people who look at the server. */
  readonly name: string;
  /** Asked first of all. */
  readonly begin: string;
  readonly connectMs: DurationMs;
  /** How long one question may take. */
  readonly askMs: DurationMs;
  readonly log: Log;
  /** What the server says unasked, by NOTIFY; `isOwn`: this connection has said it. */
  readonly notified: (channel: string, isOwn: boolean) => void;
  /** The connection has ended. */
  readonly lost?: () => void;
};

/** One connection beside the pool, always to a host that takes writes, for what belongs to a connection. */
export function createOwnConnection({ urls }: PostgresAddress, options: OwnOptions): OwnConnection {
  const { name, begin, connectMs, askMs, log, notified, lost } = options;
  let at = 0;
  let client: Client | null = null;
  let opening: Promise<Client | null> | null = null;
  let isEnded = false;

  const forget = (gone: Client): void => {
    if (client !== gone) return;
    client = null;
    lost?.();
  };
  const cut = (gone: Client): void =>
    void gone
      .end()
      .catch((error: unknown) => log.debug({ err: error, name }, "a connection ended by itself"));

  const connect = async (): Promise<Client | null> => {
    for (let tries = 0; tries < urls.length; tries += 1) {
      const made = new Client({
        connectionString: urls[at],
        connectionTimeoutMillis: connectMs,
        query_timeout: askMs,
        application_name: name,
        keepAlive: true,
      });
      made.on("error", () => forget(made));
      made.on("end", () => forget(made));
      made.on("notification", ({ channel, processId }) =>
        notified(channel, processId === Reflect.get(made, "processID")),
      );
      try {
        await made.connect();
        await made.query(begin);
        const { rows } = await made.query<{ standby: boolean }>("select pg_is_in_recovery() as standby");
        if (rows[0]?.standby === false && !isEnded) return made;
      } catch (error) {
        log.debug({ err: error, name }, "this host cannot be used");
      }
      cut(made);
      at = (at + 1) % urls.length;
    }
    return null;
  };

  return {
    async open() {
      if (client !== null || isEnded) return client;
      opening ??= connect().finally(() => {
        opening = null;
      });
      const opened = await opening;
      client ??= opened;
      return client;
    },
    drop() {
      const dropped = client;
      if (dropped === null) return;
      forget(dropped);
      cut(dropped);
    },
    async end(last) {
      isEnded = true;
      await opening;
      const ended = client;
      client = null;
      if (ended === null) return;
      try {
        if (last !== null) await ended.query(last);
        await ended.end();
      } catch (error) {
        log.debug({ err: error, name }, "a connection ended by itself");
        cut(ended);
      }
    },
  };
}
